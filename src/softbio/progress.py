"""A progress bar where somebody looks."""

from collections.abc import Iterable


def bar(steps: Iterable, text: str, total: int, done: int) -> Iterable:
    """The steps, with a bar on a terminal; silent in a log and where tqdm is not installed.

    text: what is under way; jobs side by side share a terminal's line. total: number of steps,
    `done` of which were taken before.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, text, total, initial=done, disable=None, leave=False, mininterval=0.5)
