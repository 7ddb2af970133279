"""The audit: counts against counting by hand, its file and its table."""

import json

import numpy as np
import pandas as pd
import pytest

from softbio.data.audit import Findings, Overlap, audit, audit_lists, find, read_audit
from softbio.data.prepare import prepare
from softbio.data.registry import load_registry
from softbio.data.repair import Alike, removals
from softbio.errors import UserError
from softbio.tables.audit import audits
from tests.conftest import ROOT


def frame(splits: str, labels: list[int], subjects: list[str | None]) -> pd.DataFrame:
    """A row a letter: r training, v validation, t test."""
    names = {"r": "train", "v": "valid", "t": "test"}
    columns = {"split": [names[letter] for letter in splits], "label": labels}
    return pd.DataFrame({**columns, "subject": subjects, "gender": None, "race": None})


def test_gender_has_disputes_and_no_missing_age():
    split = frame("rrtt", [0, 1, 1, 1], ["a", "b", "c", "d"])
    alike = Alike(np.array([0, 1, 0, 2]), np.empty((0, 2), int))
    found = find(split, None, alike)
    assert found.missing == {}
    assert (found.disputed_groups, found.disputed_images) == (1, 2)
    index = split.assign(image=list("wxyz"), age=None)
    index["gender"] = np.where(index["label"] == 1, "male", "female")
    reasons = removals(index, alike.identical)
    assert reasons.tolist()[1::2] == ["", ""]
    assert set(reasons[::2]) == {"disputed gender: identical images under female, male"}


def test_counts_by_hand():
    split = frame("rrrvvtttt", [0, 1, 1, 0, 0, 0, 1, 3, 0], [*"aabcdeb", None, "x"])
    #                     test images 5 (twin of 0 under the same age), 6 (twin of 3, other age),
    #                     7 (near 1), 8 (near 5, which is a test image too)
    alike = Alike(np.array([0, 1, 2, 3, 4, 0, 3, 5, 6]), np.array([[1, 7], [0, 5], [5, 8]]))
    found = find(split, (20, 23), alike)
    assert found.images == {"train": 3, "valid": 2, "test": 4}
    assert found.overlaps == [
        Overlap("test", "train", 4, identical=1, similar=1, subject=1, with_subject=3),
        Overlap("valid", "train", 2, identical=0, similar=0, subject=0, with_subject=2),
        Overlap("test", "valid", 4, identical=1, similar=0, subject=0, with_subject=3),
    ]
    assert found.missing == {"train": [22, 23], "valid": [21, 22, 23], "test": [22]}
    assert (found.disputed_groups, found.disputed_images) == (1, 2)


def test_what_lists_can_not_tell_is_left_open(tmp_path):
    (tmp_path / "train.csv").write_text(",file,age\n0,a.jpg,0\n1,b.jpg,1\n")
    (tmp_path / "test.csv").write_text(",file,age\n0,c.jpg,1\n")
    lists = {part: tmp_path / f"{part}.csv" for part in ("train", "test")}
    audit_lists(lists, (20, 21), None, tmp_path / "audit.json")
    found = read_audit(tmp_path / "audit.json")["published"]
    assert found.overlaps == [Overlap("test", "train", 1, None, None, None, 0)]
    assert found.missing == {"train": [], "test": [20]}
    assert found.disputed_groups is None


@pytest.mark.parametrize(
    ("text", "subject", "message"),
    [
        ("file,age\na,7\n", None, "train.csv: rank 7 is outside ages 20-21"),
        ("file,age\na,x\n", None, "train.csv: column 'age' must hold ranks"),
        ("file,age\na,1\n", "id", "train.csv: no column 'id'"),
        ("file\na\n", None, "train.csv: no column 'age'"),
    ],
)
def test_lists_at_fault_are_named(tmp_path, text, subject, message):
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        audit_lists({"train": path}, (20, 21), subject, tmp_path / "audit.json")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "audit.json").exists()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Drawn faces, packed and audited: folder of audit.json."""
    folder = tmp_path_factory.mktemp("drawn")
    options = {"subjects": 30, "images_per_subject": 2}
    spec = load_registry(ROOT / "config/datasets.yaml", {"faces": {"options": options}})["faces"]
    (folder / "raw").mkdir()
    (folder / "raw/sources.json").write_text("{}")
    prepare(spec, 16, folder / "faces/16", folder / "raw")
    audit(folder / "faces/16", folder / "faces-repaired/16", folder / "audit.json")
    return folder


def test_the_drawn_faces_are_without_fault(drawn):
    splits = read_audit(drawn / "audit.json")
    assert set(splits) == {"published", "repaired"}
    for found in splits.values():
        assert isinstance(found, Findings)
        for overlap in found.overlaps:
            assert (overlap.identical, overlap.similar, overlap.subject) == (0, 0, 0)
        assert found.disputed_groups == 0
    published, repaired = (splits[name].images for name in ("published", "repaired"))
    assert sum(published.values()) == sum(repaired.values())
    assert all(abs(repaired[part] - n) <= 4 for part, n in published.items())


def test_the_table_sets_both_splits_side_by_side(drawn):
    table = audits({"faces": drawn / "audit.json"})
    rows = {row.cells[1]: row.cells[2:] for row in table.rows}
    shared = rows["Test images whose subject has a training image"]
    assert all(cell.startswith("0 of ") for cell in shared)
    assert rows["Images left out"] == ["0", "0"]
    assert rows["Images in another part than published"][0] == "0"
    assert set(table.long["split"]) == {"published", "repaired"}
    assert audits({}) is None


def test_a_broken_file_is_named(drawn, tmp_path):
    path = tmp_path / "audit.json"
    for content in ("", "[]", json.dumps({"splits": {"published": {}}})):
        path.write_text(content)
        with pytest.raises(UserError, match=r"audit.json: not an audit .*delete it"):
            read_audit(path)
    packed = drawn / "faces/16"
    prints = packed / "fingerprints.parquet"
    kept = prints.read_bytes()
    prints.write_bytes(kept[:100])
    try:
        with pytest.raises(UserError, match="prepare the data set again"):
            audit(packed, tmp_path / "repaired", path)
    finally:
        prints.write_bytes(kept)
    assert not (tmp_path / "repaired").exists()
