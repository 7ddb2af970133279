"""A progress bar on a terminal, lines in a log elsewhere."""

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


def bar(steps: Iterable, text: str, total: int, done: int) -> Iterable:
    """The steps, with a bar on a terminal; silent in a log and where tqdm is not installed.

    text: what is in progress; parallel jobs share a line of the terminal. total: number of steps,
    `done` of which were done before.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, text, total, initial=done, disable=None, leave=False, mininterval=0.5)


def told(items: Iterable[T], total: int, text: str, done: int = 0) -> Iterator[T]:
    """The images, with a bar on a terminal, or a line in the log after every tenth of `total`.

    done: how many of the `total` an earlier run has done; these are not among the items.
    """
    if sys.stderr.isatty():
        yield from bar(items, text, total, done)
        return
    for count, item in enumerate(items, start=done + 1):
        yield item
        if count * 10 // total > (count - 1) * 10 // total:
            log.info("%s: %d of %d images", text, count, total)
