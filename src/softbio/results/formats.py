"""Numbers as tables, figures and sentences print them: one dash, one minus sign."""

from collections.abc import Mapping
from typing import Any

import numpy as np

ABSENT = "–"


def decimals(value: float | None, digits: int = 2) -> str:
    """A number as printed; a dash where it is undefined."""
    if value is None or not np.isfinite(value):
        return ABSENT
    return with_minus(f"{value:.{digits}f}")


def signed(value: float | None, digits: int = 2) -> str:
    """A difference as printed, with its sign; a dash where it is undefined."""
    if value is None or not np.isfinite(value):
        return ABSENT
    return with_minus(f"{value:+.{digits}f}")


def in_percent(value: float | None, digits: int = 2) -> str:
    """A share of 1 in %; a dash where it is undefined."""
    return decimals(None if value is None else 100 * value, digits)


def commit(git: Mapping[str, Any]) -> str:
    """The commit of a run's code, by the entry "git" of its run.json: "1a2b3c4 + changes"."""
    return (git["commit"] or "none")[:7] + (" + changes" if git["dirty"] else "")


def with_minus(text: str) -> str:
    """A printed number with a minus sign instead of a hyphen."""
    return text.replace("-", "−")
