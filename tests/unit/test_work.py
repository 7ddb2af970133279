"""What an earlier run has packed is believed only for the same rows, entry, images and size."""

from dataclasses import replace

import pandas as pd
import pytest

from softbio.data.alignment.crops import CROPS
from softbio.data.packing.pictures import Decoded
from softbio.data.readers import COLUMNS, OPTIONAL
from softbio.data.registry import DatasetSpec, Expected, Preparation
from softbio.data.work import Work, identity

SPEC = DatasetSpec("own", "Own", "table", (20, 24))
WORK = Work(lambda _: iter(()), Decoded(), ("of these files",))
FRAME = pd.DataFrame({
    "image": ["a.jpg", "b.jpg"], "age": [20, 21], "split": ["train", "test"],
    "gender": ["male", None], "race": [None, None], "subject": ["s1", "s2"],
    "age_group": [None, "old"], "label": [0, 1], "row": [1, 0],
})  # fmt: skip


@pytest.mark.parametrize("column", [*COLUMNS, *OPTIONAL, "label", "row"])
def test_every_column_counts(column):
    before = identity(SPEC, 24, FRAME, WORK)
    other = 7 if column in ("age", "label", "row") else "other"
    assert identity(SPEC, 24, FRAME.assign(**{column: other}), WORK) != before
    assert identity(SPEC, 24, FRAME.assign(reason="not of the reader"), WORK) == before


def test_the_size_the_entry_its_crop_and_the_content_count():
    specs = [SPEC, replace(SPEC, expected=Expected(images=3))]
    specs += [replace(SPEC, prepare=Preparation(align)) for align in CROPS]
    works = [WORK, replace(WORK, version=("of these files", "and these points"))]
    known = {
        identity(spec, size, FRAME, work) for spec in specs for size in (24, 25) for work in works
    }
    assert len(known) == len(specs) * 2 * len(works)
