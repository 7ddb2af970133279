"""Ensemble and FlowSAN: members and stages, and what their protectors make of them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from softbio.errors import UserError
from softbio.privacy.family import member_plan, member_seed, stage_plan
from softbio.privacy.judging.diversity import measure_diversity
from softbio.privacy.models.san import build_san
from softbio.privacy.models.weights import save_network
from softbio.privacy.protect import NetworkFiles, load_resources, protect_parts, protected
from softbio.privacy.protectors import get_protector
from softbio.privacy.protectors.ensemble import picks
from softbio.privacy.recipe import san_recipe
from softbio.privacy.training.train_auxiliaries import train_auxiliary
from softbio.privacy.training.train_san import SanInputs, load_series, train_san
from softbio.results.conditions import of_mode
from softbio.results.scores import read_gender
from tests.privacy.sans import GENDER, SIZE

CPU = torch.device("cpu")
CHANGES = {"size": SIZE, "pretrain_epochs": 1, "epochs": 1, "batch": 32, "groups": "age"}
RECIPE = san_recipe("drawn64", "faces", 0, **CHANGES)


@pytest.fixture(scope="module")
def files(by_age, tmp_path_factory):
    """Three networks that nobody has trained."""
    folder = tmp_path_factory.mktemp("members")
    for number in range(3):
        torch.manual_seed(number)
        save_network(folder / f"{number}.safetensors", RECIPE, build_san(RECIPE.shape))
    return [folder / f"{number}.safetensors" for number in range(3)]


def means_of(trained, prototypes, members, san=None, seed=3):
    files = NetworkFiles(san=san, prototypes=prototypes, members=tuple(members))
    return load_resources(trained.path("packed"), trained.path("parts.csv"), seed, "cpu", files)


def faces_of(name, mode, means, part="test"):
    rows = np.flatnonzero(means.parts == part)
    protect = get_protector(name).prepare(mode, means)
    return torch.cat(list(protected(protect, means, rows)))


def test_average_is_the_mean_of_the_members_and_of_equal_ones_the_member(trained, by_age, files):
    each = torch.stack(
        [faces_of("ensemble", "member1", means_of(trained, by_age, [file])) for file in files]
    )
    average = faces_of("ensemble", "average", means_of(trained, by_age, files))
    torch.testing.assert_close(average, each.mean(0))
    assert (each[0] - each[1]).abs().max() > 1e-3
    equal = faces_of("ensemble", "average", means_of(trained, by_age, files[:1] * 3))
    torch.testing.assert_close(equal, each[0])
    # a member is a SAN in the mode OP
    alone = faces_of("san", "op", means_of(trained, by_age, [], san=files[1]))
    assert torch.equal(alone, each[1])


def test_random_takes_each_face_from_one_member_by_seed_and_row(trained, by_age, files):
    means = means_of(trained, by_age, files)
    each = torch.stack(
        [faces_of("ensemble", "member1", means_of(trained, by_age, [file])) for file in files]
    )
    found = faces_of("ensemble", "random", means)
    taken = (each == found).flatten(2).all(2)
    assert (taken.sum(0) == 1).all()
    assert taken.any(1).all()
    rows = np.flatnonzero(means.parts == "test")
    assert taken.int().argmax(0).tolist() == picks(3, rows, 3).tolist()
    # whatever other faces are in the batch, and another for another seed
    assert picks(3, rows[5:6], 3)[0] == picks(3, rows, 3)[5]
    assert (picks(4, rows, 3) != picks(3, rows, 3)).any()


def test_picks_are_even():
    counts = np.bincount(picks(0, np.arange(3000), 3))
    assert counts.min() > 900


def test_modes_name_their_networks():
    ensemble, flow = (get_protector(name).networks for name in ("ensemble", "flowsan"))
    assert ensemble("average", 3) == tuple(f"e3/member{k}/san" for k in (1, 2, 3))
    assert ensemble("random-e1", 2) == ("e1/member1/san", "e1/member2/san")
    assert ensemble("member2-e2", 3) == ("e2/member2/san",)
    assert flow("stage1", 3) == ("e3/member1/san",)
    assert flow("stage3", 3) == ("e3/member1/san", "flowsan/stage2", "flowsan/stage3")


@pytest.mark.parametrize(
    ("name", "mode", "count", "message"),
    [
        ("ensemble", "average", 1, "ensemble of 1"),
        ("ensemble", "member1", 1, "ensemble of 1"),
        ("ensemble", "member4", 3, "there are 3 members; raise privacy.members"),
        ("ensemble", "member0", 3, "'member' and a number from 1"),
        ("ensemble", "best", 3, "has average, random and member1"),
        ("ensemble", "average-e3", 3, "no suffix means e3"),
        ("flowsan", "stage", 3, "'stage' and a number"),
        ("flowsan", "stage4", 3, "there are 3"),
    ],
)
def test_modes_that_there_are_not(name, mode, count, message):
    with pytest.raises(UserError, match=message):
        get_protector(name).networks(mode, count)


def test_modes_as_they_are_printed():
    title = get_protector("ensemble").title
    assert of_mode(title, "average") == "Ensemble SAN average"
    assert of_mode(title, "member2-e1") == "Ensemble SAN member 2 (E1)"
    assert of_mode("FlowSAN", "stage3") == "FlowSAN stage 3"


def test_networks_that_do_not_fit_the_mode(trained, by_age, files):
    for name, mode, members, message in (
        ("ensemble", "average", files[:1], "ensemble of 1"),
        ("ensemble", "member1", files, "needs 1 networks, and 3"),
        ("flowsan", "stage2", files, "needs 2 networks, and 3"),
    ):
        with pytest.raises(UserError, match=message):
            get_protector(name).prepare(mode, means_of(trained, by_age, members))


def test_members_differ_by_seed_rows_and_prototypes_alone():
    section = {"members": 3, "groups": "race"}
    plans = [member_plan(section, "faces", 7, "e3", member) for member in (1, 2, 3)]
    assert plans[0].gender.seed == plans[0].san.seed == 7
    assert len({plan.gender.sha256 for plan in plans}) == 3
    assert len({plan.matcher.sha256 for plan in plans}) == 1
    same = {"seed": 0, "member": 1}
    assert len({replace(plan.gender, **same).sha256 for plan in plans}) == 1
    assert {plan.san.groups for plan in plans} == {"race"}
    # e1 and e2 do not look at groups when they train their classifiers
    assert member_plan(section, "faces", 7, "e2", 1).gender.groups == "gender"
    seeds = {member_seed(seed, member) for seed in range(100) for member in range(1, 21)}
    assert len(seeds) == 2000
    with pytest.raises(UserError, match="there are 3 members"):
        member_plan(section, "faces", 7, "e1", 4)


def trained_stage(trained, by_age, folder, recipe, before=()):
    inputs = SanInputs(
        packed=trained.path("packed"),
        parts=trained.path("parts.csv"),
        prototypes=by_age,
        classifier=trained.path("gender/network.safetensors"),
        matcher=trained.path("matcher/network.safetensors"),
        before=tuple(before),
    )
    train_san(recipe, inputs, folder, device="cpu")
    return folder / "network.safetensors"


def test_a_series_starts_with_a_san_and_goes_on_from_what_it_gave(trained, by_age, tmp_path):
    first = trained_stage(trained, by_age, tmp_path / "1", RECIPE)
    means = means_of(trained, by_age, [first], san=first)
    assert torch.equal(faces_of("flowsan", "stage1", means), faces_of("san", "op", means))
    second = replace(RECIPE, stage=2, seed=5)
    paths = {}
    for name, recipe, before in (
        ("original", second, [first]),
        ("input", replace(second, target="input"), [first]),
        ("alone", replace(second, stage=1), []),
    ):
        paths[name] = trained_stage(trained, by_age, tmp_path / name, recipe, before)
    weights = {name: path.read_bytes()[-4000:] for name, path in paths.items()}
    assert len(set(weights.values())) == 3
    found = faces_of("flowsan", "stage2", means_of(trained, by_age, [first, paths["original"]]))
    # what the first gave, through the second
    means = means_of(trained, by_age, [], san=paths["original"])
    rows = torch.from_numpy(np.flatnonzero(means.parts == "test"))
    given = faces_of("flowsan", "stage1", means_of(trained, by_age, [first]))
    modes = means.source.modes(rows, means.faces.gender[rows])
    with torch.no_grad():
        expected = means.san.combined(means.san.features(given, modes.sm), modes.op)
    torch.testing.assert_close(found, expected)
    run = json.loads((tmp_path / "original/run.json").read_text())
    assert run["recipe"]["stage"] == 2


def test_a_stage_takes_the_networks_before_it(files):
    second = replace(RECIPE, stage=2)
    assert len(load_series(files[:1], second, CPU)) == 1
    with pytest.raises(UserError, match="give the 1 networks before it"):
        load_series([], second, CPU)
    with pytest.raises(UserError, match="give the 0 networks"):
        load_series(files[:1], RECIPE, CPU)
    with pytest.raises(UserError, match="its groups is age"):
        load_series(files[:1], replace(second, groups="race"), CPU)
    assert stage_plan({}, "faces", 0, 1) == member_plan({}, "faces", 0, "e3", 1)
    assert stage_plan({}, "faces", 0, 2).san.stage == 2


def test_diversity_on_the_faces_of_a_condition(trained, by_age, files, tmp_path):
    judges = []
    for number in (1, 2):
        recipe = replace(GENDER, diversity="e2", member=number, seed=number, epochs=3)
        paths = (trained.path("packed"), trained.path("parts.csv"), tmp_path / str(number))
        train_auxiliary(recipe, *paths, device="cpu")
        judges.append(tmp_path / str(number) / "network.safetensors")
    means = means_of(trained, by_age, files)
    protect_parts("ensemble", "average", means, tmp_path / "faces")
    out = tmp_path / "diversity"
    measure_diversity(tmp_path / "faces", judges, out, "cpu", "faces")
    frames = [read_gender(out / f"member{number}.parquet").frame for number in (1, 2)]
    told = [frame["score"] >= 0.5 for frame in frames]
    (row,) = pd.read_csv(out / "pairs.csv").to_dict("records")
    assert row["disagreement"] == pytest.approx((told[0] != told[1]).mean())
    measure_diversity(tmp_path / "faces", judges[:1] * 2, out, "cpu", "faces")
    assert pd.read_csv(out / "pairs.csv")["disagreement"].tolist() == [0]
    with pytest.raises(UserError, match="two or more"):
        measure_diversity(tmp_path / "faces", judges[:1], out, "cpu", "faces")
