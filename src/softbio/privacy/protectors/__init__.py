"""The ways of protection, one file each; a file in this folder is all that one needs."""

from importlib import import_module
from pkgutil import iter_modules

from softbio.errors import UserError, nearest
from softbio.privacy.protectors.base import Protector


def names() -> list[str]:
    """All ways of protection, sorted."""
    return sorted(module.name for module in iter_modules(__path__) if module.name != "base")


def get_protector(name: str) -> Protector:
    """The protector of that name; raises UserError where there is none."""
    if name not in names():
        raise UserError(f"protector '{name}' is unknown: {nearest(name, names())}")
    return import_module(f"{__name__}.{name}").PROTECTOR
