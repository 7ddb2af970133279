"""Hiding gender by the workflow, on a handful of drawn faces."""

import json

import pytest
import yaml

from softbio.data.packed import load_packed
from softbio.results.scores import read_comparisons, read_gender
from tests.project import CONFIG, copy_of_the_project, snakemake

PRIVACY = {
    "san": {"size": 32, "pretrain_epochs": 1, "epochs": 1},
    "gender": {"epochs": 1, "width": 4},
    "matcher": {"epochs": 1, "width": 4},
    "privacynet": {"variant": "drawn64", "epochs": 1, "least_faces": 2},
    "members": 2,
    "groups": "age",
}
SMALL = {"faces": {"options": {"subjects": 40, "images_per_subject": 2}}}
FOLDER = "results/micro/privacy/faces/seed0"


# one call makes them all: each start of Snakemake takes seconds
MADE = ("san/op/card.json", "ensemble/average/card.json", "flowsan/stage2/card.json",
        "ensemble/average/diversity/e3", "privacynet/ga-nocycle/card.json", "san/op/scores",
        "san/op/attacks")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = CONFIG | {"privacy": PRIVACY, "datasets": SMALL}
    return copy_of_the_project(tmp_path_factory.mktemp("privacy"), config)


@pytest.fixture(scope="module")
def made(folder):
    """Below a seed's folder: what all the paths of `MADE` lead to."""
    run = snakemake(folder, *(f"{FOLDER}/{name}" for name in MADE))
    assert run.returncode == 0, run.stdout
    return folder / FOLDER


def title(folder) -> str:
    return json.loads((folder / "card.json").read_text())["title"]


def test_a_protected_data_set_is_made_by_its_path(made):
    packed = load_packed(made / "san/op")
    assert packed.images.shape[1:] == (32, 32, 3)
    assert set(packed.index["part"]) == {"attacker", "test"}
    assert json.loads((made / "san/op/card.json").read_text())["mode"] == "op"
    assert (made / "networks/san/history.csv").exists()


def test_what_is_made_is_not_made_again(made, folder):
    again = snakemake(folder, *(f"{FOLDER}/{name}" for name in MADE))
    assert "Nothing to be done" in again.stdout


def test_a_mode_more_needs_no_network_more(made, folder):
    """Forced, for the attackers have made the faces of all modes of SAN."""
    names = ("san/nt", "ensemble/random", "ensemble/member1", "flowsan/stage1")
    names += ("privacynet/keep-nocycle",)
    more = ("san/nt/scores", "blur/sigma2/attacks", "ensemble/member1/attacks")
    more = (*more, *(f"{name}/card.json" for name in names))
    plan = snakemake(folder, *(f"{FOLDER}/{name}" for name in more), "--force", "--dry-run")
    for name in (*names, "blur/sigma2"):
        assert f"protect by {name.replace('/', ', ')}" in plan.stdout
    assert "score san, nt" in plan.stdout
    assert "attack blur, sigma2" in plan.stdout
    assert "attack ensemble, member1" in plan.stdout
    assert "train" not in plan.stdout


def test_an_ensemble_and_a_series_are_made_by_their_paths(made, folder):
    assert title(made / "ensemble/average") == "Ensemble SAN"
    assert title(made / "flowsan/stage2") == "FlowSAN"
    networks = made / "networks"
    trained = {str(p.parent.relative_to(networks)) for p in networks.rglob("history.csv")}
    assert {
        "flowsan/stage2",
        *(f"e3/member{k}/{n}" for k in (1, 2) for n in ("gender", "san")),
    } <= trained
    # the first stage is the first member; e1 and e2 have not been asked for
    assert not {"flowsan/stage1", "e1/member1/san", "e2/member1/san"} & trained
    recipes = [
        json.loads((networks / name / "run.json").read_text())["recipe"]
        for name in ("e3/member2/gender", "e3/member2/san", "flowsan/stage2")
    ]
    assert (recipes[0]["diversity"], recipes[0]["member"]) == ("e3", 2)
    assert [recipe["groups"] for recipe in recipes] == ["age"] * 3
    assert recipes[2] == recipes[1] | {"stage": 2}
    pairs = (made / "ensemble/average/diversity/e3/pairs.csv").read_text().splitlines()
    assert pairs[0] == "first,second,q,kappa,disagreement"
    assert len(pairs) == 2
    plan = snakemake(folder, f"{FOLDER}/ensemble/average-e1/card.json", "--dry-run")
    assert "gender classifier 2 of ensemble e1" in plan.stdout
    assert "of FlowSAN" not in plan.stdout


def test_a_privacynet_is_made_by_its_path(made):
    assert title(made / "privacynet/ga-nocycle") == "PrivacyNet"
    networks = made / "networks/privacynet"
    assert {path.name for path in networks.iterdir()} == {"nocycle"}
    recipe = json.loads((networks / "nocycle/run.json").read_text())["recipe"]
    assert (recipe["ablation"], recipe["size"]) == ("nocycle", 32)


@pytest.mark.parametrize(
    ("mode", "message"),
    [("ensemble/member3", "there are 2 members"), ("flowsan/stage3", "there are 2 members"),
     ("ensemble/best", "mode 'best' is unknown"), ("privacynet/ag", "mode 'ag' is unknown")],
)  # fmt: skip
def test_members_that_there_are_not_are_told(folder, mode, message):
    plan = snakemake(folder, f"{FOLDER}/{mode}/card.json", "--dry-run")
    assert plan.returncode != 0
    assert message in plan.stdout


def test_one_network_is_no_ensemble_whatever_is_asked_for(folder, tmp_path):
    """Also where the config asks for nothing: an error of an input function has a traceback."""
    config = tmp_path / "config.yaml"
    config.write_text("privacy: {members: 1}")
    options = ("--dry-run", "--configfile", "config/config.yaml", str(config))
    plan = snakemake(folder, f"{FOLDER}/ensemble/average/card.json", *options)
    assert plan.returncode != 0
    assert "'privacy.members': 1 is less than the minimum of 2" in plan.stdout
    assert "Traceback" not in plan.stdout


def test_too_few_faces_are_told(tmp_path):
    faces = {"faces": {"options": {"subjects": 12, "images_per_subject": 2}}}
    asked = PRIVACY | {"groups": "age_race", "members": 9}
    project = copy_of_the_project(tmp_path, CONFIG | {"privacy": asked, "datasets": faces})
    targets = ("prototypes-age_race.npz", "seed0/networks/e1/member9/gender/network.safetensors")
    run = snakemake(project, *(f"results/micro/privacy/faces/{target}" for target in targets))
    assert run.returncode != 0
    assert "so it has no prototype; choose fewer privacy.groups" in run.stdout
    told = "subjects, fewer than its members (9 or more); lower privacy.members"
    assert told in run.stdout
    assert "Traceback" not in run.stdout


def test_the_comparison_of_ensembles_is_asked_for_by_the_config(folder, tmp_path):
    asked = {"train": "faces", "protectors": {"ensemble": ["average"]}, "diversity": ["e1", "e3"]}
    text = yaml.safe_load((folder / "config/config.yaml").read_text())
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(text | {"privacy": text["privacy"] | asked}))
    plan = snakemake(folder, "results/micro/hiding/faces/claims.json", "--dry-run",
                     "--forceall", "--configfile", str(config))  # fmt: skip
    assert plan.returncode == 0, plan.stdout
    for faces in ("none, original", "ensemble, average"):
        for name in ("e1", "e3"):
            assert f"how classifiers of {name} differ on {faces}" in plan.stdout
    # classifiers alone are compared: of e1 no SAN is trained
    assert "train gender classifier 2 of ensemble e1" in plan.stdout
    assert "train SAN 2 of ensemble e1" not in plan.stdout
    assert "mean face of each gender and group (age)" in plan.stdout


def test_the_page_counts_the_classifier_in_a_networks_loss_too(made, folder, tmp_path):
    """Where its run.json is lost it is trained again, though nothing else needs it any more."""
    text = yaml.safe_load((folder / "config/config.yaml").read_text())
    asked = {"train": "faces", "protectors": {"ensemble": ["average"]}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(text | {"privacy": text["privacy"] | asked}))
    names = ("results/micro/hiding/faces/claims.json", "--dry-run", "--configfile", str(config))
    run = made / "networks/e3/member2/gender/run.json"
    told = run.read_bytes()
    run.unlink()
    try:
        plan = snakemake(folder, *names)
    finally:
        run.write_bytes(told)
    assert "train gender classifier 2 of ensemble e3" in plan.stdout
    assert "train gender classifier 1 of ensemble e3" not in plan.stdout
    assert "train gender classifier 2 of ensemble e3" not in snakemake(folder, *names).stdout


def test_a_condition_is_scored_by_its_path(made):
    for name in ("san/op", "none/original"):
        scores, protected = made / name / "scores", name == "san/op"
        absent = json.loads((scores / "index.json").read_text())["absent"]
        # sixteen faces: nothing to learn age or race from
        assert {entry["evaluator"] for entry in absent} == {"own_coral", "own_race"}
        abouts = [read_gender(path).about for path in (scores / "gender").iterdir()]
        abouts += [read_comparisons(path).about for path in (scores / "match").iterdir()]
        assert {about.protector for about in abouts} == {"san" if protected else "original"}
        assert len(abouts) == (3 + 2 * 3 if protected else 3 + 2 * 2)
        assert (scores / "quality.parquet").exists() == protected


def test_a_condition_is_attacked_by_its_path(made):
    attacks = made / "san/op/attacks"
    index = json.loads((attacks / "index.json").read_text())
    assert {entry["family"] for entry in index["attacks"]} == {
        *("adaptive", "detection", "embeddings", "inversion", "recovery")
    }
    for entry in index["attacks"]:
        about = read_gender(attacks / f"{entry['name']}.parquet").about
        assert about.title == entry["title"]
        assert about.dataset == "faces"


def test_no_matcher_is_asked_for_where_no_subject_is_told(folder, tmp_path):
    mine = {"datasets": {"faces": {"subjects": False}}}
    config = tmp_path / "untold.yaml"
    config.write_text(json.dumps(mine))
    options = ("--dry-run", "--configfile", "config/config.yaml", str(config))
    plan = snakemake(folder, f"{FOLDER}/mixing/alpha0.6/scores", *options)
    assert plan.returncode == 0, plan.stdout
    assert "score mixing, alpha0.6" in plan.stdout
    assert "matcher" not in plan.stdout
    plan = snakemake(folder, f"{FOLDER}/networks/matcher/network.safetensors", *options)
    assert plan.returncode != 0
    assert "'faces' has no subject labels" in plan.stdout
    san = {"privacy": PRIVACY | {"train": "faces", "protectors": {"san": ["op"]}}}
    config.write_text(json.dumps(mine | san))
    plan = snakemake(folder, *options)
    assert "matcher_net: dlib_resnet" in plan.stdout


def test_mixing_needs_no_network(folder):
    plan = snakemake(folder, f"{FOLDER}/mixing/alpha0.7/card.json", "--dry-run", "--forceall")
    assert plan.returncode == 0, plan.stdout
    assert "train" not in plan.stdout


def test_misspelt_names_are_told_at_once(folder, tmp_path):
    plan = snakemake(folder, f"{FOLDER}/mixin/alpha0.7/card.json", "--dry-run")
    assert "did you mean 'mixing'" in plan.stdout
    # a digit in a name, too, leads to the rule
    plan = snakemake(folder, f"{FOLDER}/dct8/q/card.json", "--dry-run")
    assert "protector 'dct8' is unknown" in plan.stdout
    config = tmp_path / "config.yaml"
    text = (folder / "config/config.yaml").read_text()
    config.write_text(text.replace("pretrain_epochs", "pretrain_epoch"))
    plan = snakemake(folder, "--dry-run", "--configfile", str(config))
    assert (
        "privacy.san: key 'pretrain_epoch' is unknown: did you mean 'pretrain_epochs'"
        in plan.stdout
    )
