"""A progress bar where somebody looks, lines in a log where nobody does."""

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


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


def told(items: Iterable[T], total: int, text: str) -> Iterator[T]:
    """The images, with a bar on a terminal, else a line in the log every tenth of `total`."""
    if sys.stderr.isatty():
        yield from bar(items, text, total, 0)
        return
    for count, item in enumerate(items, start=1):
        yield item
        if count * 10 // total > (count - 1) * 10 // total:
            log.info("%s: %d of %d images", text, count, total)
