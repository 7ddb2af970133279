"""The one exception that a user's mistake raises."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """One line that names the file or key at fault and the remedy; shown without a traceback."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a misspelt name: the nearest known one, or all of them."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
