"""The ways of protection, one file each; a file in this folder is all that one needs."""

from importlib import import_module
from pkgutil import iter_modules

from softbio.errors import UserError, nearest
from softbio.privacy.protectors.base import Protector


def names() -> list[str]:
    """All ways of protection, sorted; a file whose name begins with `_` is a helper of others."""
    found = (module.name for module in iter_modules(__path__))
    return sorted(name for name in found if name != "base" and not name.startswith("_"))


def get_protector(name: str) -> Protector:
    """The protector of that name; raises UserError where there is none."""
    if name not in names():
        raise UserError(f"protector '{name}' is unknown: {nearest(name, names())}")
    return import_module(f"{__name__}.{name}").PROTECTOR
