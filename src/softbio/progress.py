"""A progress bar where somebody looks."""

from collections.abc import Iterable, Sequence


def bar(steps: Sequence) -> Iterable:
    """The steps, with a bar on a terminal; silent in a log and where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, disable=None, leave=False, mininterval=0.5)
