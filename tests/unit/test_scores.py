"""Score files and pair lists: what is kept, what is refused and in which words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softbio.errors import UserError
from softbio.results.scores import (
    ComparisonAbout,
    ComparisonScores,
    GenderAbout,
    GenderScores,
    read_comparisons,
    read_gender,
    write_comparisons,
    write_gender,
)

GENDER = GenderScores(
    GenderAbout("lfw", "g2", "san", "op", 0.1 + 0.2, "lower", seed=3, seen=False, title="Made"),
    pd.DataFrame(
        {
            "image": ["a", "b", "c"],
            "subject": ["s", None, "s"],
            "label": [0, 1, 0],
            "score": [0.1, 1 / 3, 2.0],
        }
    ),
)
COMPARISONS = ComparisonScores(
    ComparisonAbout("lfw", "m1", "san", "op", "protected-original", "distance", "view2"),
    pd.DataFrame(
        {
            "reference": ["a1", "a1"],
            "probe": ["a2", "b1"],
            "reference_subject": ["a", "a"],
            "probe_subject": ["a", "b"],
            "mated": [True, False],
            "score": [0.25, 1.5],
            "fold": [0, -1],
        }
    ),
)


def test_gender_scores_come_back_as_written(tmp_path):
    write_gender(tmp_path / "g.parquet", GENDER)
    found = read_gender(tmp_path / "g.parquet")
    assert found.about == GENDER.about
    pd.testing.assert_frame_equal(found.frame, GENDER.frame, check_dtype=False)
    assert found.scores.tolist() == [-0.1, -1 / 3, -2.0]
    assert found.threshold == -(0.1 + 0.2)
    assert found.labels.tolist() == [0, 1, 0]
    assert found.subjects.tolist() == ["s", "image b", "s"]


def test_comparison_scores_come_back_as_written(tmp_path):
    write_comparisons(tmp_path / "c.parquet", COMPARISONS)
    found = read_comparisons(tmp_path / "c.parquet")
    assert found.about == COMPARISONS.about
    assert found.about.seed is None
    pd.testing.assert_frame_equal(found.frame, COMPARISONS.frame, check_dtype=False)
    assert found.scores.tolist() == [-0.25, -1.5]
    assert [side.tolist() for side in found.subjects] == [["a", "a"], ["a", "b"]]


@pytest.mark.parametrize(
    ("about", "change", "message"),
    [
        ({"direction": "up"}, {}, "direction 'up' is none of higher, lower"),
        ({"threshold": float("nan")}, {}, "threshold is not a finite number"),
        ({}, {"label": [0, 2, 0]}, r"neither 0 \(female\) nor 1 \(male\)"),
        ({}, {"score": [0.1, np.nan, 1]}, "b has no finite score"),
        ({}, {"image": ["a", "b", "a"]}, "a occurs twice"),
        ({}, {"image": ["a", None, "c"]}, "a row does not name its image"),
    ],
)
def test_gender_scores_without_sense_are_refused(tmp_path, about, change, message):
    scores = GenderScores(replace(GENDER.about, **about), GENDER.frame.assign(**change))
    with pytest.raises(UserError, match=message):
        write_gender(tmp_path / "g.parquet", scores)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("about", "change", "message"),
    [
        ({"kind": "probe"}, {}, "kind 'probe' is none of original-original"),
        ({"measure": "cosine"}, {}, "measure 'cosine' is none of similarity, distance"),
        ({"protector": "original"}, {}, "protector 'original' cannot be of kind"),
        ({}, {"probe": ["a1", "b1"]}, "a1 is compared with itself"),
        ({}, {"mated": [True, True]}, "a1 with b1: 'mated' contradicts the subjects"),
        ({}, {"probe_subject": ["a", None]}, "has no subjects"),
        ({}, {"score": [np.inf, 0.0]}, "a1 with a2 has no finite score"),
        ({}, {"probe": ["a2", "a2"]}, "a1 with a2 occurs twice"),
    ],
)
def test_comparisons_without_sense_are_refused(tmp_path, about, change, message):
    scores = ComparisonScores(
        replace(COMPARISONS.about, **about), COMPARISONS.frame.assign(**change)
    )
    with pytest.raises(UserError, match=message):
        write_comparisons(tmp_path / "c.parquet", scores)


def test_no_rows_and_no_column_are_named(tmp_path):
    with pytest.raises(UserError, match="no row"):
        write_gender(tmp_path / "g.parquet", replace(GENDER, frame=GENDER.frame[:0]))
    with pytest.raises(UserError, match="no column 'label'"):
        write_gender(
            tmp_path / "g.parquet", replace(GENDER, frame=GENDER.frame.drop(columns="label"))
        )


def rewritten(path, metadata=None, columns=None) -> None:
    """A file of another's making: entries or columns of a good one changed."""
    table = pq.read_table(path)
    entries = {k.decode(): v.decode() for k, v in table.schema.metadata.items()} | (metadata or {})
    kept = table.select(columns or table.column_names)
    entries = {name: value for name, value in entries.items() if value is not None}
    pq.write_table(kept.replace_schema_metadata(entries), path)


@pytest.mark.parametrize(
    ("metadata", "columns", "message"),
    [
        ({"threshold": None}, None, "'threshold'"),
        ({"threshold": "half"}, None, "half"),
        ({"seen": "perhaps"}, None, "perhaps"),
        ({"direction": "up"}, None, "direction 'up'"),
        ({}, ["image", "label"], "subject"),
    ],
)
def test_a_strange_file_is_one_line_with_its_path(tmp_path, metadata, columns, message):
    path = tmp_path / "g.parquet"
    write_gender(path, GENDER)
    rewritten(path, metadata, columns)
    with pytest.raises(UserError, match=message) as found:
        read_gender(path)
    assert str(found.value).startswith(f"{path}: ")
    assert "\n" not in str(found.value)


def test_optional_entries_may_be_absent(tmp_path):
    path = tmp_path / "g.parquet"
    write_gender(path, GENDER)
    rewritten(path, dict.fromkeys(("seen", "title", "seed"), None))
    assert read_gender(path).about == replace(GENDER.about, seen=None, title="", seed=None)


def test_images_of_unknown_subjects_are_their_own(tmp_path):
    unknown = replace(GENDER, frame=GENDER.frame.assign(subject=None))
    write_gender(tmp_path / "g.parquet", unknown)
    found = read_gender(tmp_path / "g.parquet").subjects
    assert found.tolist() == ["image a", "image b", "image c"]


def test_one_kind_of_file_is_not_the_other(tmp_path):
    write_gender(tmp_path / "g.parquet", GENDER)
    with pytest.raises(UserError, match="not a file of Comparison scores"):
        read_comparisons(tmp_path / "g.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(UserError, match="not a file of Gender scores"):
        read_gender(tmp_path / "text.parquet")
    pq.write_table(pa.table({"image": ["a"]}), tmp_path / "bare.parquet")
    with pytest.raises(UserError, match="not a file of Gender scores"):
        read_gender(tmp_path / "bare.parquet")
