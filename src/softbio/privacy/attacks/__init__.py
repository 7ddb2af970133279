"""Attackers who know of the protection, a file each; a file in this folder is all that one needs.

What they find is published whatever it shows: classifiers that know nothing of a protection are
weak adversaries.
"""

from importlib import import_module
from pkgutil import iter_modules

from softbio.errors import UserError, nearest
from softbio.privacy.attacks.base import Attack


def names() -> list[str]:
    """All attacks, sorted; a file whose name begins with `_` is a helper of others."""
    found = (module.name for module in iter_modules(__path__))
    return sorted(name for name in found if name != "base" and not name.startswith("_"))


def get_attack(name: str) -> Attack:
    """The attack of that name; raises UserError where there is none."""
    if name not in names():
        raise UserError(f"attack '{name}' is unknown: {nearest(name, names())}")
    return import_module(f"{__name__}.{name}").ATTACK
