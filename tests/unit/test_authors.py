"""The authors' files: found, checked, converted; and everything that may be wrong with them."""

import hashlib
import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from softbio.data.registry import FileSpec
from softbio.errors import UserError
from softbio.published.authors import TestList as Listed
from softbio.published.authors import load_authors, obtain
from softbio.published.ranks import are_thresholds, convert, read_list, read_ranks
from softbio.results.predictions import read_predictions
from tests.conftest import ROOT

# lists as the authors write them, six images each
LISTS = {
    "morph2": ",id_num,picture_num,race,Male,facial_hair,age,glasses,quality\n"
    + "".join(
        f"10{i}_0{i}M{16 + i}.jpg,10{i},{i},B,{1 - 2 * (i % 2)},,{i},,GOOD\n" for i in range(6)
    ),
    "afad": "file,path,age,gender\n"
    + "".join(f"7{i}-0.jpg,{15 + i}/112/7{i}-0.jpg,{i},female\n" for i in range(6)),
    "cacd": ",file,age\n" + "".join(f"{i},{14 + i}_Some_Body_000{i}.jpg,{i}\n" for i in range(6)),
}
AGES = {"morph2": [16, 70], "afad": [15, 40], "cacd": [14, 62]}
RANKS = {"orcnn": "0,1,2,3,4,7", "coral": "0,1,2,3,4,5", "ce": "0,1,1,0,0,1"}


def entry(name: str, content: str, url: str | None = None) -> dict:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"name": name, "url": url, "sha256": digest, "bytes": len(content)}


class Given:
    """A folder of the authors' files and the registry of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "coral-cnn"
        whole = yaml.safe_load((ROOT / "config/authors.yaml").read_text())
        self.entries = {key: whole[key] for key in whole if key not in ("datasets", "runs")}
        self.entries |= {"datasets": {}, "runs": []}
        for dataset, text in LISTS.items():
            listed = self.write(f"{dataset}_test.csv", text)
            self.entries["datasets"][dataset] = {"ages": AGES[dataset], "images": 6, "list": listed}
            for method, ranks in RANKS.items():
                for seed in range(3):
                    file = self.write(f"{dataset}/{dataset}-{method}__seed{seed}/p.log", ranks)
                    holds = "thresholds" if method == "ce" else "ranks"
                    run = {"dataset": dataset, "method": method, "seed": seed, "holds": holds}
                    self.entries["runs"].append({**run, "file": file})

    def write(self, name: str, content: str) -> dict:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return entry(name, content)

    def load(self, **changes):
        path = self.root / "authors.yaml"
        path.write_text(yaml.safe_dump(self.entries | changes))
        return load_authors(path)

    def convert(self, **changes) -> Path:
        authors = self.load(**changes)
        convert(authors, obtain(authors, self.root, self.root / "raw"), self.root / "out")
        return self.root / "out"


@pytest.fixture
def given(tmp_path) -> Given:
    return Given(tmp_path)


def test_the_registry_lists_27_runs_of_which_18_can_be_judged():
    authors = load_authors(ROOT / "config/authors.yaml")
    assert (len(authors.runs), len(authors.judged)) == (27, 18)
    assert {run.method for run in authors.judged} == {"orcnn", "coral"}
    assert len({file.sha256 for file in authors.files}) == 27 + 3


def test_files_become_predictions_and_ce_becomes_a_remark(given):
    out = given.convert()
    about, frame = read_predictions(
        out / "age/morph2/resnet34_journal/orcnn/seed1/predictions.parquet"
    )
    assert (about.dataset, about.method, about.seed, about.kind) == ("morph2", "orcnn", 1, "point")
    assert (about.ages, about.k) == ((16, 70), 55)
    assert frame["prediction"].tolist() == [0, 1, 2, 3, 4, 7]
    assert frame["label"].tolist() == list(range(6))
    assert set(frame["selection"]) == {"best"}
    assert frame["gender"].tolist() == ["male", "female"] * 3
    assert frame["subject"].tolist() == [f"10{i}" for i in range(6)]
    remarks = pd.read_csv(out / "remarks.csv").set_index(["dataset", "method", "seed"])
    assert len(remarks) == 27
    assert remarks.loc[("afad", "ce", 0), "remark"] == "no ranks: only 0 and 1"
    assert remarks.loc[("afad", "coral", 0), ["holds", "images"]].tolist() == ["ranks", 6]
    assert not list(out.glob("age/*/*/ce"))


def test_subjects_are_read_from_the_names(given):
    out = given.convert()
    subjects = {}
    for dataset in ("afad", "cacd"):
        path = out / f"age/{dataset}/resnet34_journal/coral/seed0/predictions.parquet"
        subjects[dataset] = read_predictions(path)[1]["subject"].tolist()
    assert subjects["afad"] == [f"7{i}" for i in range(6)]
    assert subjects["cacd"] == ["Some_Body"] * 6


@pytest.mark.parametrize("place", ["", "coral-cnn", "experiment-logs"])
def test_the_folder_may_be_bare_or_a_clone(given, place):
    authors = given.load()
    home = given.root / "given"
    home.mkdir()
    given.folder.rename(home / place if place else home / "x")
    found = obtain(authors, home if place else home / "x", given.root / "raw")
    assert len(found) == 30
    assert json.loads((given.root / "raw/sources.json").read_text()) == found


def test_a_list_may_lie_anywhere_and_a_damaged_copy_does_no_harm(given):
    authors = given.load()
    (given.root / "datasets").mkdir()
    (given.folder / "afad_test.csv").rename(given.root / "datasets/afad_test.csv")
    (given.folder / "cacd/cacd_test.csv").write_text("cut off")
    found = obtain(authors, given.root, given.root / "raw")
    assert found["afad_test.csv"] == str(given.root / "datasets/afad_test.csv")
    assert found["cacd_test.csv"] == str(given.folder / "cacd_test.csv")


def test_without_a_folder_the_remedy_is_told(given):
    with pytest.raises(UserError, match=r"_test\.csv is not there; clone https.*published="):
        obtain(given.load(), None, given.root / "raw")
    with pytest.raises(UserError, match=r"nowhere: no such folder; correct --config published"):
        obtain(given.load(), given.root / "nowhere", given.root / "raw")


def test_a_missing_file_is_named(given):
    (given.folder / "cacd/cacd-coral__seed2/p.log").unlink()
    with pytest.raises(UserError, match=r"cacd/cacd-coral__seed2/p\.log is not there"):
        given.convert()


def test_a_file_of_another_run_is_refused(given):
    """Its checksum tells, whatever its length."""
    other = (given.folder / "morph2/morph2-coral__seed0/p.log").read_text()
    (given.folder / "morph2/morph2-orcnn__seed0/p.log").write_text(other)
    with pytest.raises(UserError, match=r"morph2-orcnn__seed0/p\.log: sha256 .* another run's"):
        given.convert()


def test_what_has_a_url_is_fetched_and_checked(given, monkeypatch):
    import pooch

    asked = []

    def retrieve(url, known, name, folder, downloader):
        asked.append(url)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("0,1,2,3,4,7")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    runs = deepcopy(given.entries["runs"])
    file = next(run["file"] for run in runs if run["method"] == "orcnn")
    file |= {"name": "deep/p.log", "url": "https://example.org/p.log"}
    found = obtain(given.load(runs=runs), given.root, given.root / "raw")
    assert asked == ["https://example.org/p.log"]
    assert found["deep/p.log"] == str(given.root / "raw/deep/p.log")


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ("0,1,2,3,4", r"5 predictions for 6 test images.*another data set or cut off"),
        ("0,1,2,3,4,5,6", r"7 predictions for 6 test images"),
        ("0,1,2,3,4,26", r"rank 26 is not one of 0\.\.25; it is of another data set"),
        ("0,1,2,3,4,-1", "not one line of comma-separated ranks"),
        ("0,1,2,3,4,2.5", "not one line of comma-separated ranks"),
        ("0,1,2\n3,4,5", "not one line of comma-separated ranks"),
        ("0,1,2,,4,5", "not one line of comma-separated ranks"),
        ("", "not one line of comma-separated ranks"),
        ("nan,1,2,3,4,5", "not one line of comma-separated ranks"),
        ("0," * 1000, "too large for the ranks of 6 images"),
    ],
)
def test_a_bad_predictions_file_is_one_line(tmp_path, ranks, message):
    (tmp_path / "p.log").write_text(ranks)
    with pytest.raises(UserError, match=message) as caught:
        read_ranks(tmp_path / "p.log", images=6, k=26)
    assert "\n" not in str(caught.value)


def test_thresholds_are_recognised_by_content():
    assert are_thresholds(np.array([0, 1, 0]))
    assert are_thresholds(np.zeros(3, int))
    assert not are_thresholds(np.array([0, 1, 2]))


@pytest.mark.parametrize(
    ("method", "holds", "seen"), [("ce", "ranks", "thresholds"), ("coral", "thresholds", "ranks")]
)
def test_the_registry_must_not_be_wrong_about_a_file(given, method, holds, seen):
    runs = deepcopy(given.entries["runs"])
    next(run for run in runs if run["method"] == method)["holds"] = holds
    with pytest.raises(UserError, match=rf"holds {seen}, config/authors.yaml says {holds}"):
        given.convert(runs=runs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LISTS["cacd"], "not the test list of morph2"),
        (LISTS["afad"], "not the test list of morph2"),
        (LISTS["morph2"].replace("100_00M16.jpg", "100_00M17.jpg"), "not the ages in the file"),
        (LISTS["morph2"].rpartition("105_")[0], "5 images, morph2 has 6"),
        (LISTS["morph2"].replace(",0,,GOOD", ",x,,GOOD"), "not the test list of morph2"),
        ("", "not the test list of morph2"),
    ],
)
def test_a_list_of_another_data_set_or_length_is_refused(tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_list(
            tmp_path / "list.csv", "morph2", Listed((16, 70), 6, FileSpec("list.csv", *[None] * 3))
        )


def test_two_files_of_one_run_are_refused(given):
    runs = [*given.entries["runs"], given.entries["runs"][4]]
    with pytest.raises(UserError, match="coral/seed1 is there twice"):
        given.load(runs=runs)


def test_a_missing_seed_is_refused(given):
    runs = [r for r in given.entries["runs"] if (r["dataset"], r["method"], r["seed"]) !=
            ("cacd", "coral", 1)]  # fmt: skip
    with pytest.raises(UserError, match="cacd, coral lacks seed 1; add its file"):
        given.load(runs=runs)


def test_a_path_that_leaves_the_folder_is_refused(given):
    runs = deepcopy(given.entries["runs"])
    runs[0]["file"]["name"] = "../../etc/passwd"
    with pytest.raises(UserError, match=r"runs\.0\.file\.name"):
        given.load(runs=runs)
