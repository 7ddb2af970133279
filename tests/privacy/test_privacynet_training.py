"""Training a PrivacyNet: whom a step moves, how it is killed, how it ends, and what it gives."""

import json
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from softbio.engine.stopping import Stopped
from softbio.errors import UserError
from softbio.privacy.attributes import labels_of
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.auxiliaries import SmallMatcher
from softbio.privacy.models.privacynet import (
    PrivacyNet,
    load_privacynet,
    signed,
    unsigned,
)
from softbio.privacy.models.weights import save_network
from softbio.privacy.protect import NetworkFiles, load_resources, protected
from softbio.privacy.protectors import get_protector
from softbio.privacy.protectors.base import Batch
from softbio.privacy.training import privacynet_task as training
from softbio.privacy.training.originals import embed
from softbio.privacy.training.privacynet_task import (
    CRITIC,
    DRAWS,
    GENERATOR,
    Guard,
    PrivacyNetTask,
    optimizer_of,
)
from softbio.privacy.training.train_privacynet import PrivacyNetInputs, train_privacynet
from tests.privacy.test_privacynet import KNOWN, RECIPE
from tests.processes import signal_self

CPU = torch.device("cpu")


def train(trained, folder, recipe=RECIPE, **options):
    """On the drawn faces."""
    paths = map(trained.path, ("packed", "parts.csv", "matcher/network.safetensors"))
    originals = options.pop("originals", None)
    train_privacynet(recipe, PrivacyNetInputs(*paths, originals), folder, "cpu", **options)


@pytest.fixture(scope="module")
def network(trained, tmp_path_factory):
    """The folder of a trained one."""
    folder = tmp_path_factory.mktemp("privacynet")
    torch.set_num_threads(1)
    train(trained, folder)
    return folder


def means_of(trained, network):
    files = NetworkFiles(generator=network / "network.safetensors")
    return load_resources(trained.path("packed"), trained.path("parts.csv"), 3, "cpu", files)


def faces_of(means, mode, part="test"):
    protect = get_protector("privacynet").prepare(mode, means)
    rows = np.flatnonzero(means.parts == part)
    return torch.cat(list(protected(protect, means, rows)))


def work_on(trained, **changes):
    torch.manual_seed(0)
    recipe = replace(RECIPE, attributes=KNOWN[:2], **changes)
    net = PrivacyNet(recipe)
    index = trained.packed.index
    classes = np.stack([labels_of(index, each) for each in recipe.attributes], 1)
    rows = torch.from_numpy(np.flatnonzero(trained.parts == "san"))
    matcher, faces = SmallMatcher(4).eval().requires_grad_(False), GreyFaces(trained.packed, CPU)
    return PrivacyNetTask(
        recipe,
        net,
        optimizer_of(net, recipe),
        matcher,
        faces=faces,
        classes=torch.from_numpy(classes),
        rows=rows,
        kept=lambda: "kept",
        originals=embed(matcher, faces, rows),
    )


def test_a_step_of_one_network_leaves_the_other(trained):
    work = work_on(trained)
    rows, draws = work.rows[:8], torch.rand(8, DRAWS)
    for step, moves in ((work.critic_step, 1), (work.generator_step, 0), (work.critic_step, 1)):
        parts = list(work.network.children())
        before = [[w.detach().clone() for w in part.parameters()] for part in parts]
        assert step(rows, draws)[0].isfinite()
        for place, (part, kept) in enumerate(zip(parts, before, strict=True)):
            same = [torch.equal(w, k) for w, k in zip(part.parameters(), kept, strict=True)]
            assert (not any(same)) if place == moves else all(same)
    assert all(weight.grad is None for weight in work.matcher.parameters())


def test_ablations_leave_their_term_out(trained):
    rows = work_on(trained).rows[:8]
    for ablation, gone, there in (("nomatcher", "j_m", "cycle"), ("nocycle", "cycle", "j_m")):
        values = dict(
            zip(
                GENERATOR + CRITIC,
                work_on(trained, ablation=ablation).step(rows, torch.rand(8, DRAWS)),
                strict=True,
            )
        )
        assert values[gone].isnan()
        weight = {"j_m": RECIPE.matching_weight, "cycle": RECIPE.cycle_weight}[there]
        by_hand = values["g_src"] + RECIPE.attribute_weight * values["g_attr"]
        torch.testing.assert_close(values["loss"], by_hand + weight * values[there])


def test_all_hide_sets_are_asked_for_as_often(trained):
    work = work_on(trained)
    own = torch.zeros(4000, 2, dtype=torch.int64)
    changed = work.asked(own, torch.rand(4000, DRAWS, generator=torch.Generator())) != own
    shares = torch.bincount(changed.long() @ torch.tensor([1, 2]), minlength=4) / 4000
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.03)


def test_run_record(network):
    history = pd.read_csv(network / "history.csv")
    assert len(history) == 2
    assert history["told_gender"].between(0, 1).all()
    run = json.loads((network / "run.json").read_text())
    assert run["recipe"]["attributes"][0] == {"name": "gender", "values": ["female", "male"]}
    assert not (network / "resume.pt").exists()
    recipe, loaded = load_privacynet(network / "network.safetensors")
    assert recipe.attributes[0] == KNOWN[0]
    assert loaded.known == recipe.attributes


def test_a_file_whose_attributes_do_not_fit_is_refused(network, tmp_path):
    recipe, loaded = load_privacynet(network / "network.safetensors")
    save_network(tmp_path / "a", replace(recipe, attributes=KNOWN[:1]), loaded)
    with pytest.raises(UserError, match="not a PrivacyNetRecipe network"):
        load_privacynet(tmp_path / "a")


@pytest.mark.parametrize("nth", [2, 6, 8])
def test_asked_to_end_it_goes_on_bit_for_bit(trained, network, tmp_path, monkeypatch, nth):
    step, calls = PrivacyNetTask.step, []

    def signalled(self, rows, draws):
        calls.append(1)
        if len(calls) == nth:
            signal_self()
        return step(self, rows, draws)

    monkeypatch.setattr(training.PrivacyNetTask, "step", signalled)
    with pytest.raises(Stopped):
        train(trained, tmp_path)
    train(trained, tmp_path)
    assert len(json.loads((tmp_path / "run.json").read_text())["resumed_at"]) == 1
    files = [folder / "network.safetensors" for folder in (network, tmp_path)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_discriminator_that_explodes_is_told_and_the_last_good_state_kept(trained, tmp_path):
    with pytest.raises(UserError, match=r"discriminator diverged: .* is .*lower privacy\.privacyn"):
        train(trained, tmp_path, replace(RECIPE, rate=1.0, decay=0.0))
    assert not (tmp_path / "network.safetensors").exists()


def test_the_guard_waits_and_forgives():
    guard, wild = Guard(), {"norm": 1e3, "d_src": 0.0, "d_attr": 1.0}
    for _ in range(4):
        guard.see(wild)
    assert guard.suspects == 4
    guard.see(wild | {"norm": 1.0})
    assert guard.suspects == 0
    guard.see(wild | {"norm": float("nan")})
    assert guard.suspects == training.PATIENCE
    assert "norm is nan" in guard.reason


def test_a_state_under_suspicion_is_not_saved(trained, tmp_path, monkeypatch):
    """The first epoch is sound and saved; the second ends out of bounds."""
    step, calls = PrivacyNetTask.step, []

    def wild(self, rows, draws):
        calls.append(1)
        values = step(self, rows, draws)
        if len(calls) > 1 and self.optimizer.param_groups[0]["lr"] < RECIPE.rate:
            self.guard.see({"norm": 1e3, "d_src": 0.0, "d_attr": 0.0})
        return values

    monkeypatch.setattr(training.PrivacyNetTask, "step", wild)
    with pytest.raises(UserError, match="holds what was saved last"):
        train(trained, tmp_path, replace(RECIPE, decay=1.0, epochs=2))
    assert (tmp_path / "resume.pt").exists()


def doubting(monkeypatch, *suspicious: int, asked: int = 0) -> None:
    """Some steps, counted from 1 over all processes, end out of bounds; one is asked to end."""
    step, calls = PrivacyNetTask.step, []

    def wild(self, rows, draws):
        values = step(self, rows, draws)
        calls.append(1)
        if len(calls) in suspicious:
            self.guard.see({"norm": 1e3, "d_src": 0.0, "d_attr": 0.0})
        if len(calls) == asked:
            signal_self()
        return values

    monkeypatch.setattr(training.PrivacyNetTask, "step", wild)


def test_a_transient_at_an_epochs_end_ends_nothing(trained, network, tmp_path, monkeypatch):
    """Two epochs of four steps. A rerun would meet the same step again, and never get past it."""
    doubting(monkeypatch, 4)
    train(trained, tmp_path)
    files = [folder / "network.safetensors" for folder in (network, tmp_path)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_killed_behind_a_transient_it_goes_on_from_the_older_state(
    trained, network, tmp_path, monkeypatch
):
    """The end of the first epoch is not saved, so a kill in the second begins the first again."""
    doubting(monkeypatch, 4, 5, asked=5)
    with pytest.raises(Stopped) as left:
        train(trained, tmp_path)
    assert left.value.code == 128 + signal.SIGTERM
    assert not (tmp_path / "resume.pt").exists()
    train(trained, tmp_path)
    files = [folder / "network.safetensors" for folder in (network, tmp_path)]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("nth", [5, 6])
def test_asked_to_end_in_doubt_it_leaves_and_keeps_the_older_file(
    trained, network, tmp_path, monkeypatch, nth
):
    doubting(monkeypatch, nth, asked=nth)
    saved = []
    step = PrivacyNetTask.step

    def watched(self, rows, draws):
        saved.append((tmp_path / "resume.pt").read_bytes() if len(saved) >= 4 else b"")
        return step(self, rows, draws)

    monkeypatch.setattr(training.PrivacyNetTask, "step", watched)
    with pytest.raises(Stopped) as left:
        train(trained, tmp_path)
    assert left.value.code == 128 + signal.SIGTERM
    assert (tmp_path / "resume.pt").read_bytes() == saved[-1]
    train(trained, tmp_path)
    files = [folder / "network.safetensors" for folder in (network, tmp_path)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_modes_change_faces_and_hidden_ones_alone_by_seed(trained, network):
    means = means_of(trained, network)
    plain, keep, g = (faces_of(means, mode) for mode in ("keep", "keep", "g"))
    assert torch.equal(plain, keep)
    assert keep.min() >= 0
    assert keep.max() <= 1
    assert not torch.equal(keep, g)
    assert torch.equal(faces_of(means, "g"), g)
    # gender has one other class, age two: there the seed draws
    other = replace(means, seed=4)
    assert torch.equal(faces_of(other, "g"), g)
    assert not torch.equal(faces_of(other, "a"), faces_of(means, "a"))


def test_an_attribute_that_is_not_known_can_not_be_hidden(network, trained, tmp_path):
    recipe, _ = load_privacynet(network / "network.safetensors")
    recipe = replace(recipe, attributes=KNOWN[:2])
    save_network(tmp_path / "network.safetensors", recipe, PrivacyNet(recipe))
    means = means_of(trained, tmp_path)
    with pytest.raises(UserError, match=r"hides race, .* of gender, age: take the mode"):
        get_protector("privacynet").prepare("gr", means)
    with pytest.raises(UserError, match="needs a generator"):
        get_protector("privacynet").prepare("g", replace(means, generator=None))


def test_a_hide_set_that_can_not_be_had_is_told_before_training(trained, tmp_path):
    index = trained.packed.index[trained.parts == "san"]
    # more than any race or age group has, and not more than the genders have
    recipe = replace(RECIPE, least_faces=int(index["gender"].value_counts().min()))
    with pytest.raises(UserError, match=r"mode 'ga' hides age, .* only of gender: take the"):
        train(trained, tmp_path, recipe, modes=["keep", "g", "ga"])
    assert not list(tmp_path.iterdir())


def test_untold_labels_are_estimated(network, trained):
    means = means_of(trained, network)
    net, rows = means.generator, torch.from_numpy(np.flatnonzero(means.parts == "test"))
    index = means.faces.packed.index.assign(gender=None)
    blind = replace(means, faces=GreyFaces(replace(means.faces.packed, index=index), CPU))
    faces = signed(means.faces.batch(rows))
    classes = np.stack([labels_of(index, each) for each in net.known], 1)[rows]
    with torch.no_grad():
        own = net.filled(torch.from_numpy(classes), net.discriminator(faces)[1])
        expected = unsigned(net.changed(faces, own))
    protect = get_protector("privacynet").prepare("keep", blind)
    batch = Batch(means.faces.batch(rows), means.faces.gender[rows], rows)
    with torch.no_grad():
        torch.testing.assert_close(protect(batch), expected)
