"""A packed data set that was damaged, or is none, is told in one line."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softbio.data.packed import load_packed
from softbio.errors import UserError


def card(ages):
    return lambda folder: (folder / "card.json").write_text(json.dumps({"ages": ages}))


def index(change):
    def apply(folder: Path) -> None:
        path = folder / "index.parquet"
        change(pd.read_parquet(path)).to_parquet(path)

    return apply


def images(*shape: int):
    return lambda folder: np.save(folder / "images.npy", np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "card.json").unlink(), "No such file"),
        (lambda folder: (folder / "card.json").write_text("[1]"), "not a packed data set"),
        (lambda folder: (folder / "card.json").write_bytes(b"\xff"), "not a packed data set"),
        (card(None), "a label is outside the 2 ranks"),
        (card([18]), "not a packed data set"),
        (card(["a", "b"]), "not a packed data set"),
        (lambda folder: os.truncate(folder / "images.npy", 5000), "not a packed data set"),
        (lambda folder: os.truncate(folder / "images.npy", 0), "not a packed data set"),
        (lambda folder: (folder / "index.parquet").write_text("x" * 99), "not a packed data set"),
        (index(lambda frame: frame.drop(columns="label")), "index.parquet lacks label"),
        (index(lambda frame: frame.drop(columns=["split", "race"])), "lacks split, race"),
        (index(lambda frame: frame.assign(label="a")), "lacks whole labels"),
        (index(lambda frame: frame.assign(label=np.nan)), "lacks whole labels"),
        (index(lambda frame: frame.assign(label=6)), "a label is outside the 6 ranks"),
        (index(lambda frame: frame.iloc[1:]), "does not fit the 99 rows"),
        (images(100, 18, 18, 1), "does not fit"),
        (images(100, 18, 20, 3), "does not fit"),
        (images(), "does not fit"),
    ],
)  # fmt: skip
def test_a_damaged_data_set_is_one_line(packed, tmp_path, damage, message):
    folder = shutil.copytree(packed, tmp_path / "packed")
    assert load_packed(folder).k == 6
    damage(folder)
    with pytest.raises(UserError, match=message) as caught:
        load_packed(folder)
    assert "\n" not in str(caught.value)
    assert "again" in str(caught.value)
