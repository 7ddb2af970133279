"""Which images the talk's numbers are of, and how those of a run differ: a data set may be another
release, split, crop, or lack images in which no face was found."""

from dataclasses import dataclass

import pandas as pd

from softbio.published.numbers import TALK_PROTOCOL, Deviation

# what the talk's experiments packed of each image, as the registry of data sets names it
TALK_CUTS = {"morph2": "eyes", "afad": "none", "utkface": "none", "cacd": "box"}
CUTS = {
    "none": "whole images",
    "centre": "centre squares",
    "eyes": "faces aligned by the eyes",
    "box": "boxes around the faces",
}


@dataclass(frozen=True)
class Images:
    """What a run learnt from and was tested on.

    train: images of the training part, with those that the recipe held out of it; test: of the test
    part; cut: what was packed of each, a key of `CUTS`, None where that was not recorded.
    """

    train: int
    test: int
    cut: str | None


def talk_images(published: pd.DataFrame) -> dict[str, Images]:
    """Data set -> the images of the talk's experiments. published: rows of config/published.csv."""
    rows = published[published["protocol"] == TALK_PROTOCOL]
    counts = {
        metric: rows[rows["metric"] == metric].set_index("dataset")["value"].astype(int).to_dict()
        for metric in ("images_train", "images_test")
    }
    train, test = counts["images_train"], counts["images_test"]
    return {name: Images(train[name], test[name], TALK_CUTS.get(name)) for name in train}


def other_cut(ours: str | None, published: str | None) -> list[Deviation]:
    """What was packed of each image, where both are known and differ."""
    if None in (ours, published) or ours == published:
        return []
    return [Deviation("packed", *(CUTS.get(cut, cut) for cut in (published, ours)))]


def other_images(ours: Images, published: Images) -> list[Deviation]:
    """How the images of a run differ from the published ones; empty where nothing is known to."""
    pairs = {
        "training images": (published.train, ours.train),
        "test images": (published.test, ours.test),
    }
    counts = [
        Deviation(name, f"{theirs:,}", f"{own:,}")
        for name, (theirs, own) in pairs.items()
        if theirs != own
    ]
    return other_cut(ours.cut, published.cut) + counts
