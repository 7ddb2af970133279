"""Intervals as tables print them."""

import numpy as np

from softbio.results.formats import ABSENT, decimals, signed
from softbio.statistics.means import Interval


def with_limits(interval: Interval | None, digits: int = 2, sign: bool = False) -> str:
    """A number and its limits, "1.20 (1.10 to 1.30)", with signs where it is a difference; without
    limits that are unknown; a dash where there is no number."""
    if interval is None or np.isnan(interval.estimate):
        return ABSENT
    form = signed if sign else decimals
    middle, low, high = (
        form(value, digits) for value in (interval.estimate, interval.low, interval.high)
    )
    return middle if low == ABSENT else f"{middle} ({low} to {high})"


def percent(interval: Interval | None, sign: bool = False) -> str:
    """A share of 1 and its limits in percent; a dash where there is none."""
    return with_limits(scaled(interval, 100), 1, sign)


def scaled(interval: Interval | None, factor: float) -> Interval | None:
    """The interval of a multiple of the number."""
    if interval is None:
        return None
    return Interval(factor * interval.estimate, factor * interval.low, factor * interval.high)


def span(interval: Interval | None, digits: int = 2, sign: bool = False) -> str:
    """The limits alone, "96.61 to 97.73", with signs where it is a difference; a dash where there
    are none."""
    if interval is None:
        return ABSENT
    form = signed if sign else decimals
    low, high = (form(limit, digits) for limit in (interval.low, interval.high))
    return ABSENT if ABSENT in (low, high) else f"{low} to {high}"


def between(interval: Interval | None, digits: int = 2) -> str:
    """The limits alone in brackets; a dash where there are none."""
    limits = span(interval, digits)
    return limits if limits == ABSENT else f"({limits})"


def flat(numbers: dict[str, Interval | None]) -> dict[str, float]:
    """The columns name, name_low, name_high of a CSV, for each interval."""
    found = {}
    for name, interval in numbers.items():
        ends = (interval.estimate, interval.low, interval.high) if interval else (np.nan,) * 3
        found |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return found
