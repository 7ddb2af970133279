"""Readers and the splits: whose label is whose, and nobody on both sides."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, OF_AGES, OPTIONAL, read
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import Split, check_present, check_records, read_list, split_images
from softbio.errors import UserError

UTK = DatasetSpec("utk", "UTK", "utkface", (21, 60))
OWN = DatasetSpec("own", "Own", "table", (18, 70))


def sources(folder: Path, lists: Mapping[str, str]) -> Sources:
    for part, text in lists.items():
        (folder / f"{part}.csv").write_text(text)
    return Sources(folder, {part: folder / f"{part}.csv" for part in lists})


def utk(folder: Path, row: str):
    return read(UTK, sources(folder, {"train": f",file,age\n7,{row}\n"})).frame


def test_utkface_names_are_read(tmp_path):
    train = ",file,age\n3,36_0_1_20170117163203851.jpg.chip.jpg,15\n"
    test = ",file,age\n4,39_1_20170116174525125.jpg.chip.jpg,18\n"
    test += "5,55_1_4_20170116232725357jpg.chip.jpg,34\n"
    frame = read(UTK, sources(tmp_path, {"train": train, "test": test})).frame
    assert list(frame.columns) == [*COLUMNS, *OPTIONAL]
    assert frame[["age", "split", "gender"]].to_numpy().tolist() == [
        [36, "train", "male"],
        [39, "test", "female"],
        [55, "test", "female"],
    ]
    assert frame["race"].fillna("?").tolist() == ["Black", "?", "Others"]
    assert frame["subject"].isna().all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("36_0_1_20170117163203851.jpg.chip.jpg,36", "label 36 of '36_0.*' is not its age less 21"),
        ("36_2_1_20170117163203851.jpg.chip.jpg,15", "'36_2.*' is not named age_gender_race_time"),
        ("face.jpg,15", "'face.jpg' is not named"),
        ("36_0_1_20170117163203851.jpg.chip.jpg,x", r"train.csv, row 2: label 'x' is not a rank"),
        ("36_0_1_20170117163203851.jpg.chip.jpg,-1", "label '-1' is not a rank"),
    ],
)
def test_utkface_mistakes(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        utk(tmp_path, row)


def test_a_list_of_other_columns_or_none(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("name,age\na,1\n")
    with pytest.raises(UserError, match=r"list.csv: no column 'file'; it has name, age"):
        read_list(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"list.csv: not a CSV file"):
        read_list(path)
    path.write_bytes(b"file,age\n\xff\xfe,1\n")
    with pytest.raises(UserError, match=r"list.csv: not a CSV file"):
        read_list(path)
    with pytest.raises(UserError, match=r"none.csv: cannot be read"):
        read_list(tmp_path / "none.csv")


def own(folder: Path, text: str) -> pd.DataFrame:
    return read(OWN, sources(folder, {"all": text})).frame


def test_a_table_with_its_own_split(tmp_path):
    frame = own(tmp_path, ",age,file,split,gender\n0,20,x/NA.jpg,train,female\n1,70,b.png,test,\n")
    assert frame[["image", "age", "split"]].to_numpy().tolist() == [
        ["x/NA.jpg", 20, "train"],
        ["b.png", 70, "test"],
    ]
    assert [frame["gender"][0], frame["gender"].isna()[1]] == ["female", True]


@pytest.mark.parametrize(
    ("before", "after"), [("\ufeff", "\n"), ("", "\r\n"), ("\n\n", "\n\n"), ("", "\r")]
)
def test_a_table_as_other_programs_write_it(tmp_path, before, after):
    """A byte order mark, Windows' and old line ends, blank lines, blanks behind the commas."""
    lines = ["file, age, split", '"a,b.jpg", 20, train', "c.jpg, 30, test"]
    (tmp_path / "all.csv").write_text(before + after.join(lines) + after, newline="")
    frame = read(OWN, Sources(tmp_path, {"all": tmp_path / "all.csv"})).frame
    assert frame[["image", "age", "split"]].to_numpy().tolist() == [
        ["a,b.jpg", 20, "train"],
        ["c.jpg", 30, "test"],
    ]
    assert list(frame.index) == [0, 1]


def test_a_table_for_hiding_alone_needs_no_ages(tmp_path):
    (tmp_path / "all.csv").write_text(
        "file,subject,gender,age_group\na.png,1,male,old\nb.png,2,female,\nc.png,3,male,young\n"
    )
    unaged = replace(OWN, ages=None)
    found = Sources(tmp_path, {"all": tmp_path / "all.csv"})
    frame = read(unaged, found).frame
    assert frame["age"].isna().all()
    assert frame["age_group"].to_list() == ["old", None, "young"]
    assert frame["gender"].to_list() == ["male", "female", "male"]
    with pytest.raises(UserError, match="no column 'age'"):
        read(OWN, found)


def test_a_table_without_ages_of_all_keeps_those_it_has(tmp_path):
    (tmp_path / "all.csv").write_text("file,age\na.png,20\nb.png,\n")
    found = Sources(tmp_path, {"all": tmp_path / "all.csv"})
    assert read(replace(OWN, ages=None), found).frame["age"].to_list() == [20, None]
    with pytest.raises(UserError, match="row 3: age 'None' is not a whole number"):
        read(OWN, found)
    (tmp_path / "all.csv").write_text("file,age\na.png,old\nb.png,\n")
    with pytest.raises(UserError, match="row 2: age 'old' is not a whole number"):
        read(replace(OWN, ages=None), found)


def test_a_missing_subject_is_not_passed_over_in_silence(tmp_path, caplog):
    rows = "\n".join(f"{i}.jpg,30,{'me' if i else ''}" for i in range(30))
    own(tmp_path, f"file,age,subject\n{rows}")
    assert "not every image has a subject" in caplog.text


@pytest.mark.parametrize("with_subject", [True, False])
def test_a_table_without_split_is_divided(tmp_path, with_subject):
    people = [f"p{i // 5}" for i in range(200)]
    column = ",subject" if with_subject else ""
    rows = (f"{i}.jpg,30{',' + people[i] if with_subject else ''}" for i in range(200))
    frame = own(tmp_path, f"file,age{column}\n" + "\n".join(rows))
    assert frame["split"].value_counts().to_dict() == {"train": 140, "test": 40, "valid": 20}
    parts_of_a_person = frame.groupby(people)["split"].nunique()
    assert (parts_of_a_person == 1).all() == with_subject


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,age,gendr\na,20,male", "unknown column 'gendr', did you mean 'gender'?"),
        ("file\na", "no column 'age'"),
        ("file,age\na,20\nb,old", "row 3: age 'old' is not a whole number"),
        ("file,age\na,20.5", r"row 2: age '20.5' is not a whole number"),
        ("file,age\na,²", "row 2: age '²' is not a whole number"),
        ("file,age\n,20", "row 2: no file name"),
        ("file,age\n\n\na,20\n\nb,old", "row 6: age 'old' is not a whole number"),
        ("file,age\na," + "9" * 30, "row 2: age '9+' is not a whole number"),
        # pandas would take the first field for an index and shift the others
        ("file,age\na,20,30\nb,21,31", "row 2: 3 fields under a header of 2"),
        ("file,age\na", "row 2: 1 fields under a header of 2"),
        ("file,age,age\na,20,21", "column 'age' is there twice"),
        ("file;age\na;20", r"it has file;age \(columns are separated by commas\)"),
        ('file,age\n"a,20', "not a CSV file"),
        ("\n\n", "it is empty"),
        ("file,age\na,20", "fewer than two images cannot be divided"),
        ("file,age,subject\na,20,me\nb,20,me", "fewer than two subjects cannot be divided"),
        ("file,age,gender\na,20,m", "row 2: gender 'm' is none of female, male"),
        ("file,age,age_group\na,20,middle", "age_group 'middle' is none of old, young"),
        ("file,age,split\na,20,train\nb,20,", "row 3: split 'None' is none of test, train, valid"),
    ],
)
def test_table_mistakes(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        own(tmp_path, text)


@given(
    st.lists(st.integers(0, 30).map(str), min_size=1, max_size=300),
    st.floats(0.05, 0.5),
    st.floats(0, 0.4),
    st.integers(0, 5),
)
@settings(deadline=None)
def test_a_split_keeps_groups_whole_and_shares_near(groups, test, valid, seed):
    parts = split_images(groups, Split(test, valid, seed))
    frame = pd.DataFrame({"group": groups, "part": parts})
    assert (frame.groupby("group")["part"].nunique() == 1).all()
    largest = frame["group"].value_counts().max()
    in_test = (parts == "test").sum()
    assert test * len(groups) - 1e-6 <= in_test < test * len(groups) + largest
    in_valid = (parts == "valid").sum()
    assert abs(in_valid - valid * len(groups)) < largest + 1e-6
    assert (parts == split_images(groups, Split(test, valid, seed))).all()


def test_a_split_depends_on_its_seed():
    names = [str(i) for i in range(100)]
    assert (split_images(names, Split(seed=0)) != split_images(names, Split(seed=1))).any()


def rows(*records: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(records, columns=["image", "age", "split"])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (rows(("a", 20, "train"), ("a", 20, "test")), "'a' in train and test"),
        (rows(("a", 20, "train"), ("a", 20, "train"), ("b", 20, "test")), "'a' twice in train"),
        (rows(("a", 20, "train"), ("b", 61, "test")), "age 61 of 'b' is outside 20-60"),
        (rows(("a", 19, "train"), ("b", 60, "test")), "age 19 of 'a' is outside 20-60"),
        (rows(("a", 20, "train")), "the test part is empty"),
        (rows(("a", 20, "test")), "the train part is empty"),
    ],
)
def test_what_no_reader_may_return(frame, message):
    with pytest.raises(UserError, match=f"here: .*{message}"):
        check_records(frame, (20, 60), "here")


def test_records_in_order_pass():
    check_records(rows(("a", 20, "train"), ("b", 60, "test")), (20, 60), "here")


def test_images_that_the_source_lacks_are_counted(tmp_path):
    check_present(["a"], {"a", "b"}, tmp_path)
    with pytest.raises(UserError, match="2 of 3 listed images are not in it, the first is 'c'"):
        check_present(["a", "c", "d"], {"a", "b"}, tmp_path)


def test_drawn_faces_are_split_by_subject():
    options = {"subjects": 30, "images_per_subject": 3, "seed": 2}
    spec = DatasetSpec("faces", "Faces", "drawn", (18, 70), options=options)
    records = read(spec, Sources())
    frame = records.frame
    assert list(frame.columns) == [*COLUMNS, *OPTIONAL]
    assert len(frame) == len(records.faces)
    assert (frame.groupby("subject")["split"].nunique() == 1).all()
    assert set(frame["split"]) == {"train", "valid", "test"}
    pixels, landmarks = records.draw(records.faces[0], 32)
    assert pixels.shape == (32, 32, 3)
    assert np.shape(landmarks) == (68, 2)


@pytest.mark.parametrize("reader", sorted(OF_AGES))
def test_a_reader_of_ages_names_the_key_where_there_are_none(tmp_path, reader):
    spec = DatasetSpec(name="mine", title="Mine", reader=reader, ages=None)
    with pytest.raises(UserError, match=rf"datasets.mine.ages is empty; the reader '{reader}'"):
        read(spec, Sources(tmp_path, {}))
