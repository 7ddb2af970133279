"""What was trained, read from run.json beside each network, and its table."""

import json

import pandas as pd
import pytest

from softbio.errors import UserError
from softbio.hiding.trained import read_trained
from softbio.privacy.family import judge_folder
from softbio.report.hiding.page import key_figures, read_half
from softbio.tables.layout import markdown
from softbio.tables.trained import trained_table
from tests.report import hidden

WORLD = hidden.World(subjects=4, each=2, cap=20, seeds=(0, 1), family=True)
KINDS = ["Auxiliary gender classifier", "Auxiliary matcher", "SAN",
         "Auxiliary gender classifier, ensemble E3", "SAN, ensemble E3",
         "SAN, later stage of FlowSAN", "PrivacyNet", "PrivacyNet without cycle"]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Of two seeds; the first has two PrivacyNets too."""
    made = hidden.build(tmp_path_factory.mktemp("trained"), WORLD)
    for ablation in ("full", "nocycle"):
        folder = made.sans[0].parent / "privacynet" / ablation
        folder.mkdir(parents=True)
        (folder / "run.json").write_text((made.sans[0] / "run.json").read_text())
    return made


def written(made) -> pd.DataFrame:
    """The files themselves, with the folder of each."""
    told = [json.loads(path.read_text()) | {"folder": path.parent} for path in made.trained]
    return pd.DataFrame(told)


def test_each_network_is_read_once_whatever_the_order(made):
    found = read_trained(reversed(made.trained))
    assert found == read_trained(made.trained)
    assert list(dict.fromkeys(each.kind for each in found)) == KINDS
    homes = [made.sans[0].parents[1].parent / f"seed{e.seed}/networks/{e.folder}" for e in found]
    assert sorted(homes) == sorted(written(made)["folder"])


def test_the_table_adds_up_to_the_files(made):
    table, files = trained_table(read_trained(made.trained), "lfw"), written(made)
    assert [row.cells[0] for row in table.rows] == [*KINDS, "All"]
    assert [row.summary for row in table.rows] == [False] * len(KINDS) + [True]
    every, total = table.rows[-1].cells[1], table.rows[-1].cells[6]
    assert int(every) == len(files) == sum(int(row.cells[1]) for row in table.rows[:-1])
    assert total == f"{files['training_seconds'].sum() / 60:.1f}"
    assert table.long["seconds"].sum() == files["training_seconds"].sum()
    by = {row.cells[0]: row.cells for row in table.rows}
    members = files[files["folder"].map(lambda f: f.parent.name[:-1] == "member")]
    sans = members[members["folder"].map(lambda f: f.name == "san")]
    minutes = sans["training_seconds"] / 60
    assert by["SAN, ensemble E3"][5] == f"{minutes.min():.1f} … {minutes.max():.1f}"
    assert by["SAN, ensemble E3"][6] == f"{minutes.sum():.1f}"
    assert by["PrivacyNet"][1:] == ["1", "12,345", "7", "300", "3.5", "3.5", "500"]
    assert by["SAN"][7] == "500 … 501"
    assert "on made-up CPU." in markdown(table)


def test_nothing_trained_is_no_table():
    assert trained_table(read_trained([]), "lfw") is None


def test_an_unknown_network_stands_under_its_folder(made, tmp_path):
    """One that a protector of a reader's own has brought."""
    folder = tmp_path / "seed3/networks/mine"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(made.trained[0].read_text())
    *_, last = read_trained([*made.trained, folder / "run.json"])
    assert (last.kind, last.seed) == ("mine", 3)


@pytest.mark.parametrize(
    ("place", "change", "told"),
    [("seed0/networks/san", {"epochs": "many"}, "many"),
     ("seed0/networks/san", {"images": None}, "NoneType"),
     ("seedling/networks/san", {}, "ling"),
     ("seed0/elsewhere/san", {}, "not of a trained network")],
)  # fmt: skip
def test_what_is_no_training_is_told(made, tmp_path, place, change, told):
    folder = tmp_path / place
    folder.mkdir(parents=True)
    run = json.loads(made.trained[0].read_text())
    (folder / "run.json").write_text(json.dumps(run | change))
    with pytest.raises(UserError, match=told) as raised:
        read_trained([folder / "run.json"])
    assert str(folder / "run.json") in str(raised.value)


def test_the_page_counts_every_network(half, drawn):
    made, _ = drawn
    files = written(made)
    figures = key_figures([read_half(half)])
    assert figures["networks trained to protect"] == str(len(files)) == "3"
    assert figures["their training time"] == f"{files['training_seconds'].sum() / 60:.1f} min"
    names = [table["name"] for table in read_half(half).tables]
    assert "trained-faces" in names


@pytest.mark.parametrize(
    ("san", "judge"),
    [("san", "gender"), ("e1/member1/san", "gender"), ("e1/member12/san", "e1/member12/gender"),
     ("e3/member1/san", "e3/member1/gender"), ("e2/member3/san", "e2/member3/gender"),
     ("flowsan/stage2", "e3/member2/gender"), ("flowsan/stage10", "e3/member10/gender")],
)  # fmt: skip
def test_the_classifier_in_a_sans_loss(san, judge):
    assert judge_folder(san) == judge
