"""What all figures share: colours, direct labels, and the four files of each."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import hsv_to_rgb, to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from softbio.files import atomic
from softbio.methods import METHODS
from softbio.results.formats import decimals
from softbio.results.names import CONTROLS

NARROW, WIDE = 3.3, 6.9
# how the numbers in most figures are judged
SETTING = "last epoch, decoded as published"
# Okabe and Ito's colours: distinct with every common colour vision deficiency.
OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
# one more, of Tol's muted scheme, so that each method here has one
PALETTE = [*OKABE_ITO, "#882255"]
GREY, MARK = "#6b6b6b", "#B2182B"
# without dates and versions, which would make equal figures differ
METADATA = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


class NotShown(Exception):
    """The runs that a figure needs are absent; the message says which."""


@dataclass(frozen=True)
class Figure:
    """A drawn figure: `frame` holds the numbers that it shows, one row for each mark."""

    name: str
    title: str
    caption: str
    alt: str
    dataset: str
    backbone: str | None
    frame: pd.DataFrame
    canvas: Canvas

    def write(self, folder: Path) -> None:
        """Write {name}.svg, .pdf, .png and .csv."""
        # laid out once, not once a format
        self.canvas.draw_without_rendering()
        self.canvas.set_layout_engine("none")
        for suffix, metadata in METADATA.items():
            with atomic(folder / f"{self.name}.{suffix}") as part:
                self.canvas.savefig(part, format=suffix, metadata=metadata)
        with atomic(folder / f"{self.name}.csv") as part:
            self.frame.to_csv(part, index=False)

    def entry(self) -> dict:
        """Its entry in index.json."""
        names = ("name", "title", "caption", "alt", "dataset", "backbone")
        return {name: getattr(self, name) for name in names}


def colour(method: str) -> str:
    """The colour of a method, the same in every report; grey for controls.

    The colour of a method of the user's own follows from its name alone.
    """
    if method in CONTROLS:
        return GREY
    if method in METHODS[: len(PALETTE)]:
        return PALETTE[METHODS.index(method)]
    hue = crc32(method.encode()) / 2**32
    return to_hex(hsv_to_rgb((hue, 0.9, 0.6)))


def panels(
    columns: int, width: float, height: float, **options: object
) -> tuple[Canvas, np.ndarray]:
    """A canvas with one row of axes."""
    canvas = Canvas(figsize=(width, height))
    return canvas, canvas.subplots(1, columns, squeeze=False, **options)[0]


def tiles(count: int, width: float, height: float, **options: object) -> tuple[Canvas, list[Axes]]:
    """A canvas with `count` axes, at most four in a row: one row is `width` by `height` inches."""
    across = min(count, 4)
    down = -(-count // across)
    canvas = Canvas(figsize=(width, height * down))
    axes = canvas.subplots(down, across, squeeze=False, **options).ravel()
    for spare in axes[count:]:
        spare.remove()
    return canvas, list(axes[:count])


def direct_labels(axes: Axes, labels: list[tuple[str, float, str]], x: float = 1.02) -> None:
    """Write names of lines at the right edge, (text, y in data units, colour), and move them apart
    where they would overlap."""
    low, high = axes.get_ylim()
    step = 0.1 * (high - low)
    order = sorted(labels, key=lambda item: item[1])
    heights = [float(np.clip(item[1], low, high)) for item in order]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + step)
    excess = max(0.0, heights[-1] - high) if heights else 0.0
    for (text, _, ink), y in zip(order, heights, strict=True):
        axes.text(
            x,
            y - excess,
            text,
            color=ink,
            va="center",
            fontsize=7.5,
            transform=axes.get_yaxis_transform(),
            clip_on=False,
        )


def whole_ticks(axis: Axis) -> None:
    """Ticks at whole numbers only."""
    axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def plain_log(axis: Axis) -> None:
    """A log scale with ticks 1, 2, 5, 10 written out."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def plain(value: float, digits: int = 2) -> str:
    """A number in a caption or alt text."""
    return decimals(value, digits)
