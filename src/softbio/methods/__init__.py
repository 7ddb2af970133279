"""The methods, one file each: this tuple is the registry, in the order of the tables."""

from importlib import import_module
from typing import TYPE_CHECKING

from softbio.errors import UserError, nearest

if TYPE_CHECKING:  # names alone must not import torch
    from softbio.methods.base import Method

# the talk's three, then what others proposed for the same task
METHODS = ("ce", "orcnn", "coral", "corn", "regression", "sord", "dldl_v2", "mean_variance")


def get_method(name: str) -> "Method":
    """The method of that name; raises UserError where there is none."""
    if name not in METHODS:
        raise UserError(f"method '{name}' is unknown: {nearest(name, METHODS)}")
    return import_module(f"softbio.methods.{name}").METHOD
