"""Numbers as tables, figures and sentences print them: one dash, one minus sign."""

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


def with_minus(text: str) -> str:
    """A printed number with a minus sign instead of a hyphen."""
    return text.replace("-", "−")
