"""A progress bar where somebody looks."""

from collections.abc import Iterable, Sequence


def bar(steps: Sequence, text: str) -> Iterable:
    """The steps, with a bar on a terminal; silent in a log and where tqdm is not installed.

    text: what is under way; jobs side by side share a terminal's line.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, desc=text, disable=None, leave=False, mininterval=0.5)
