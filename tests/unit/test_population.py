"""The faces of a privacy benchmark: cut from aligned canvases, one data set or two."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from softbio.data.alignment.align import align
from softbio.data.alignment.template import SIDE
from softbio.data.fetching.locate import fetch
from softbio.data.packed import load_packed
from softbio.data.registry import load_registry
from softbio.errors import UserError
from softbio.evaluators.registry import load_evaluators
from softbio.privacy import plan as planning
from softbio.privacy.parts import write_parts
from softbio.privacy.plan import (
    ORIGINAL,
    canvas_side,
    check_evaluators,
    check_subjects,
    hiding_plan,
    members,
    population_name,
)
from softbio.privacy.plan_recipe import plan_from, privacynet_plan
from softbio.privacy.population import gather
from softbio.privacy.warp import landmarks_px
from tests.conftest import ROOT

OPTIONS = {"subjects": 40, "images_per_subject": 2, "seed": 5}
SPECS = load_registry(ROOT / "config/datasets.yaml", {"faces": {"options": OPTIONS}})
PLAN = {"train": "faces", "protectors": {"san": ["op"], "blur": ["sigma2"]}}


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aligned")
    fetch(SPECS["faces"], folder / "raw")
    align(SPECS["faces"], folder / "faces", folder / "raw", side=336)
    return folder / "faces"


def changed(aligned, folder, **columns):
    """Another data set of the same canvases."""
    folder.mkdir()
    for name in ("images.npy", "rejected.csv"):
        (folder / name).symlink_to(aligned / name)
    pd.read_parquet(aligned / "index.parquet").assign(**columns).to_parquet(
        folder / "index.parquet"
    )
    return folder


def test_faces_are_the_inner_128_of_168_units(aligned, tmp_path):
    gather("faces", [aligned], SPECS, 64, tmp_path)
    packed = load_packed(tmp_path)
    canvas = np.load(aligned / "images.npy")[7]
    # half 64 around (56, 64) on a canvas of half 84 around (56, 56): 20 units from the left, 28
    # from above, two pixels a unit; OpenCV's areas are another's averaging
    expected = cv2.resize(
        canvas[56 : 56 + 256, 40 : 40 + 256], (64, 64), interpolation=cv2.INTER_AREA
    )
    assert np.abs(packed.images[7].astype(int) - expected).max() <= 1
    assert SIDE == 336


def test_the_card_does_not_tell_where_the_images_lie(aligned, tmp_path):
    specs = {"faces": replace(SPECS["faces"], source=Path("/data/faces.tar"))}
    gather("faces", [aligned], specs, 32, tmp_path)
    text = (tmp_path / "card.json").read_text()
    assert "/data" not in text
    assert json.loads(text)["datasets"]["faces"]["licence"] == SPECS["faces"].licence


def test_landmarks_go_with_the_faces(aligned, tmp_path):
    gather("faces", [aligned], SPECS, 64, tmp_path)
    index = load_packed(tmp_path).index
    before = np.array(pd.read_parquet(aligned / "index.parquet")["landmarks"][3]).reshape(68, 2)
    # centres of pixels: the 4 x 4 canvas pixels of one face pixel lie around it
    expected = ((before + 0.5) - [40, 56]) / 4 - 0.5
    assert np.allclose(landmarks_px(index["landmarks"][3], 64), expected, atol=1e-6)


def test_of_two_data_sets_the_second_is_judged(aligned, tmp_path):
    index = pd.read_parquet(aligned / "index.parquet")
    other = changed(aligned, tmp_path / "other", image="x" + index["image"])
    specs = SPECS | {"other": SPECS["faces"]}
    gather("faces_to_other", [aligned, other], specs, 32, tmp_path / "both")
    packed = load_packed(tmp_path / "both")
    write_parts(packed, tmp_path / "parts.csv")
    parts = pd.read_csv(tmp_path / "parts.csv")
    test = parts["part"] == "test"
    assert (packed.index["dataset"][test] == "other").all()
    assert (packed.index["dataset"][~test] == "faces").all()
    assert set(parts["part"]) == {"san", "evaluators", "attacker", "test"}
    # one and the same name in both data sets is not taken for one person
    assert parts.groupby("subject")["part"].nunique().max() == 1
    shares = parts[~test]["part"].value_counts(normalize=True)
    assert abs(shares["san"] - 0.5) < 0.06


def test_what_takes_no_part_is_listed_with_its_reason(aligned, tmp_path):
    index = pd.read_parquet(aligned / "index.parquet")
    gender, subject = index["gender"].copy(), index["subject"].copy()
    gender[2], subject[5] = None, None
    other = changed(aligned, tmp_path / "other", gender=gender, subject=subject)
    (other / "rejected.csv").unlink()
    (other / "rejected.csv").write_text("image,split,reason\nq.png,test,no face found\n")
    gather("faces", [other], SPECS, 32, tmp_path / "out")
    lost = pd.read_csv(tmp_path / "out/left_out.csv").set_index("image")["reason"]
    assert lost.to_dict() == {
        "q.png": "no face found",
        index["image"][2]: "its gender is not told",
        index["image"][5]: "its subject is not told",
    }
    card = json.loads((tmp_path / "out/card.json").read_text())
    assert card["images"] == {"faces": len(index) - 2}
    assert {entry["reason"]: entry["images"] for entry in card["left_out"]} == {
        "no face found": 1,
        "its gender is not told": 1,
        "its subject is not told": 1,
    }


def test_without_subjects_each_image_is_one(aligned, tmp_path, caplog):
    untold = changed(aligned, tmp_path / "untold", subject=None)
    specs = {"untold": replace(SPECS["faces"], subjects=False), "faces": SPECS["faces"]}
    gather("untold", [untold], specs, 32, tmp_path / "out")
    packed = load_packed(tmp_path / "out")
    assert (packed.subjects == packed.index["image"]).all()
    assert "a person may be in two parts" in caplog.text
    card = json.loads((tmp_path / "out/card.json").read_text())
    assert card["datasets"]["untold"]["subjects"] is False
    write_parts(packed, tmp_path / "parts.csv")
    assert pd.read_csv(tmp_path / "parts.csv")["subject"].nunique() == len(packed.index)
    # judged on a data set that tells them
    index = pd.read_parquet(aligned / "index.parquet")
    other = changed(aligned, tmp_path / "other", image="x" + index["image"])
    gather("untold_to_faces", [untold, other], specs, 32, tmp_path / "both")
    index = load_packed(tmp_path / "both").index
    judged = index["dataset"] == "faces"
    assert index.loc[judged, "subject"].nunique() == OPTIONS["subjects"]
    assert index.loc[~judged, "subject"].is_unique
    # without the key nobody is left, and the error says so
    with pytest.raises(UserError, match=r"set datasets\.faces\.subjects: false"):
        gather("faces", [untold], SPECS, 32, tmp_path / "none")


def test_nobody_learns_a_matcher_where_no_subject_is_told():
    mine = hiding_plan(PLAN, ["faces"])
    with pytest.raises(UserError, match=r"'faces' has no subject labels.*matcher_net: dlib_resnet"):
        check_subjects(mine, "own", ["faces"])
    check_subjects(mine, "own", ["utkface"])
    check_subjects(mine, "dlib_resnet", ["faces"])
    check_subjects(hiding_plan(PLAN | {"protectors": {"mixing": ["alpha0.5"]}}, ["faces"]),
                   "own", ["faces"])  # fmt: skip
    assert not load_registry(ROOT / "config/datasets.yaml")["utkface"].subjects


def test_what_can_not_be_gathered_is_told(aligned, tmp_path):
    with pytest.raises(UserError, match="is in both data sets"):
        gather("faces_to_faces", [aligned, aligned], SPECS, 32, tmp_path / "out")
    nobody = changed(aligned, tmp_path / "nobody", gender=None)
    with pytest.raises(UserError, match=r"'faces': no face has a gender label.*another data set$"):
        gather("faces", [nobody], SPECS, 32, tmp_path / "out")


def test_two_data_sets_may_use_the_same_names(aligned, tmp_path):
    mirrored = changed(aligned, tmp_path / "other")
    (tmp_path / "other/images.npy").unlink()
    images = np.load(aligned / "images.npy")
    np.save(tmp_path / "other/images.npy", images[:, :, ::-1])
    specs = dict.fromkeys(("faces", "other"), SPECS["faces"])
    gather("faces_to_other", [aligned, mirrored], specs, 32, tmp_path / "out")
    index = load_packed(tmp_path / "out").index
    test = index[index["dataset"] == "other"]
    plain = pd.read_parquet(aligned / "index.parquet")["image"].tolist()
    # a pair list names the images that are judged
    assert test["image"].tolist() == plain
    learnt = index.loc[index["dataset"] == "faces", "image"]
    assert learnt.tolist() == [f"faces:{image}" for image in plain]
    write_parts(load_packed(tmp_path / "out"), tmp_path / "parts.csv")


def test_a_data_set_of_the_users_disk_has_a_card(aligned, tmp_path):
    specs = {"faces": replace(SPECS["faces"], source=Path("/data/mine"))}
    gather("faces", [aligned], specs, 32, tmp_path / "out")
    assert "/data/mine" not in (tmp_path / "out/card.json").read_text()


def test_names_and_canvases():
    assert population_name("celeba", "lfw") == "celeba_to_lfw"
    assert members("celeba_to_lfw") == ["celeba", "lfw"]
    assert population_name("faces", None) == population_name("faces", "faces") == "faces"
    assert [canvas_side(size) for size in (32, 64, 128, 129, 224)] == [168, 168, 168, 336, 336]


def test_the_originals_are_judged_in_any_case():
    plan = hiding_plan(PLAN | {"seeds": [3]}, ["faces"])
    folders = [condition.folder for condition in plan.conditions()]
    assert folders == ["seed3/none/original", "seed3/san/op", "seed3/blur/sigma2"]
    assert plan.conditions(attacked=True) == []


def test_a_second_seed_repeats_what_depends_on_networks_alone():
    plan = hiding_plan(PLAN | {"seeds": [0, 1]}, ["faces"])
    second = [(each.protector, each.mode) for each in plan.conditions() if each.seed == 1]
    assert second == [ORIGINAL, ("san", "op")]


def test_ensembles_are_compared_on_originals_on_their_average_and_on_faces_of_neither():
    plan = hiding_plan(PLAN | {"seeds": [0, 1], "diversity": ["e1", "e3", "e1"]}, ["faces"])
    names = ("e1", "e3")
    before = [f"seed{s}/none/original/diversity/{name}" for s in (0, 1) for name in names]
    assert plan.compared == before
    protectors = {"ensemble": ["member1", "average"], "privacynet": ["keep", "g"]}
    section = PLAN | {"protectors": protectors, "diversity": ["e2"]}
    assert hiding_plan(section, ["faces"]).compared == [
        f"seed0/{faces}/diversity/e2"
        for faces in ("none/original", "ensemble/average", "privacynet/g")
    ]
    assert hiding_plan(PLAN, ["faces"]).compared == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"train": "facse"}, "privacy.train: data set 'facse' is unknown: did you mean 'faces'"),
        ({"test": "lfv"}, "privacy.test: data set 'lfv'"),
        ({"protectors": {"sun": ["op"]}}, "'sun' is unknown: did you mean 'san'"),
        ({"attacked": {"san": ["sm"]}}, "san sm is not among privacy.protectors"),
        ({"train": None}, "privacy.train is missing"),
    ],
)
def test_a_plan_that_can_not_be_is_told(change, told):
    with pytest.raises(UserError, match=told):
        hiding_plan(PLAN | change, ["faces", "lfw"])


def test_what_is_named_twice_is_made_once():
    plan = hiding_plan(
        PLAN | {"seeds": [1, 1, 0], "protectors": {"san": ["op", "op"]}}, ["faces", "lfw"]
    )
    assert plan.seeds == (1, 0)
    folders = [condition.folder for condition in plan.conditions()]
    assert len(set(folders)) == len(folders) == 4


def test_a_name_that_would_be_taken_for_two_is_refused():
    with pytest.raises(UserError, match="'a_to_b' contains '_to_'"):
        hiding_plan(PLAN | {"train": "a_to_b"}, ["a_to_b"])


@pytest.mark.parametrize(
    ("names", "matcher", "told"),
    [
        (["sfcae"], "own", "'sfcae' is unknown: did you mean 'sface'"),
        (["yunet"], "own", "'yunet' judges no face"),
        ([], "faceres", "matcher_net: no matcher 'faceres'"),
        ([], "onw", "matcher_net: no matcher 'onw': did you mean 'own'"),
    ],
)
def test_evaluators_that_can_not_judge_are_told_before_training(names, matcher, told):
    specs = load_evaluators()
    check_evaluators(["sface", "faceres"], "faceres_descriptor", specs)
    with pytest.raises(UserError, match=told):
        check_evaluators(names, matcher, specs)


@pytest.mark.parametrize(
    ("kind", "field"),
    [("san", "seed"), ("san", "dataset"), ("gender", "part"), ("matcher", "size")],
)
def test_what_follows_from_the_run_can_not_be_set(kind, field):
    with pytest.raises(UserError, match=f"privacy.{kind}.{field} cannot be set"):
        plan_from({kind: {field: 1}}, "faces", 0)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"gender": {"epoch": 3}}, "config: privacy.gender: key 'epoch' is unknown: .*'epochs'"),
        ({"matcher": {"epochs": 0}}, "config: privacy.matcher: epochs is 0; it must be at least 1"),
        ({"san": {"shape": "px46"}}, "config: privacy.san: shape is 'px46'; choose one of"),
        ({"san": {"size": 16}}, "config: privacy.san: size is 16; it must be at least 32"),
        ({"privacynet": {"decay": 2.0}}, "config: privacy.privacynet: decay is 2.0"),
    ],
)
def test_what_a_recipe_refuses_is_told_with_its_section(section, message):
    with pytest.raises(UserError, match=f"^{message}"):
        privacynet_plan(section, "faces", 0)


@pytest.mark.parametrize("name", ["dct8", "a", "networks8", "my_networks"])
def test_a_protector_may_be_called_so(name, monkeypatch):
    monkeypatch.setattr(planning, "PROTECTORS", [name])
    assert hiding_plan(PLAN | {"protectors": {name: ["q"]}}, ["faces"]).protectors == {name: ("q",)}


@pytest.mark.parametrize("name", ["Dct", "8dct", "networks", "d-ct"])
def test_a_protector_whose_name_can_be_no_folders_is_refused(name, monkeypatch):
    monkeypatch.setattr(planning, "PROTECTORS", [name])
    with pytest.raises(UserError, match=f"no folder can be called '{name}': rename its file"):
        hiding_plan(PLAN | {"protectors": {name: ["q"]}}, ["faces"])


def test_nothing_is_planned_without_a_data_set():
    plan = hiding_plan({}, [])
    assert plan.population is None
    assert plan.conditions() == plan.conditions(attacked=True) == []
