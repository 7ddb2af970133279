"""What a step's loss is made of, by hand, on tiny networks: each term with its sign and weight."""

from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from softbio.evaluators.crop import FRAME
from softbio.privacy.attacks import mixed
from softbio.privacy.models.auxiliaries import CosineHead
from softbio.privacy.training import privacynet_task as training
from softbio.privacy.training.face_task import means_of
from softbio.privacy.training.loss_matcher import LossMatcher
from softbio.privacy.training.privacynet_task import CRITIC, DRAWS, GENERATOR
from softbio.privacy.training.san_task import PARTS
from tests.privacy.sans import RECIPE as SAN
from tests.privacy.test_privacynet_training import work_on
from tests.privacy.test_training import task_with_judges

WEIGHTS = {"penalty_weight": 7.0, "read_weight": 3.0, "attribute_weight": 5.0,
           "matching_weight": 2.0, "cycle_weight": 11.0}  # fmt: skip


@pytest.fixture
def gan(trained):
    """A PrivacyNet at work, eight of its faces, and of them what is asked for: x in -1..1 (8, 1, S,
    S), own and target classes (8, 2)."""
    work = work_on(trained, **WEIGHTS)
    rows = work.rows[:8]
    draws = torch.rand(8, DRAWS, generator=torch.Generator().manual_seed(5))
    faces = work.faces.batch(rows)
    turned = draws[:, -1] < 0.5
    assert 0 < turned.sum() < 8
    x = 2 * torch.stack([f.flip(2) if t else f for f, t in zip(faces, turned, strict=True)]) - 1
    own = work.classes[rows]
    target = work.asked(own, draws)
    assert (own >= 0).all()
    assert (target != own).any(0).all(), "each attribute of some face is to change"
    return SimpleNamespace(work=work, rows=rows, draws=draws, x=x, own=own, target=target)


def entropy(logits: torch.Tensor, classes: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Cross-entropies of the attributes, summed: the mean of -log of the own value's share."""
    total = torch.zeros(())
    for part, own in zip(logits.split(sizes, 1), classes.T, strict=True):
        shares = part.exp() / part.exp().sum(1, keepdim=True)
        total = total - shares[torch.arange(len(own)), own].log().mean()
    return total


def test_critic(gan):
    net, recipe = deepcopy(gan.work.network), gan.work.recipe
    values = dict(zip(CRITIC, gan.work.critic_step(gan.rows, gan.draws), strict=True))
    fake = net.changed(gan.x, gan.target).detach()
    real, logits = net.discriminator(gan.x)
    # high on real faces, low on made ones
    d_src = net.discriminator(fake)[0].mean() - real.mean()
    norms = []
    for one, other, share in zip(gan.x, fake, gan.draws[:, -2], strict=True):
        middle = (share * one + (1 - share) * other)[None].requires_grad_(True)
        net.discriminator(middle)[0].sum().backward()
        norms.append(middle.grad.square().sum().sqrt())
    norms = torch.stack(norms)
    d_attr = entropy(logits, gan.own, net.sizes)
    loss = d_src + 7.0 * ((norms - 1) ** 2).mean() + 3.0 * d_attr
    expected = {"critic": loss, "d_src": d_src, "norm": norms.mean(), "d_attr": d_attr}
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value.detach(), rtol=1e-4, atol=1e-6)
    assert d_src.abs() > 1e-4
    assert ((norms - 1) ** 2).mean() > 1e-2
    assert (recipe.penalty_weight, recipe.read_weight) == (7.0, 3.0)


def test_generator(gan):
    work, net = gan.work, deepcopy(gan.work.network)
    values = dict(zip(GENERATOR, work.generator_step(gan.rows, gan.draws), strict=True))
    fake = net.changed(gan.x, gan.target)
    source, logits = net.discriminator(fake)
    g_src, g_attr = -source.mean(), entropy(logits, gan.target, net.sizes)
    back = net.changed(fake, gan.own)
    cycle = (back - gan.x).abs().mean()
    embedded, original = (work.matcher((each + 1) / 2) for each in (fake, gan.x))
    j_m = (embedded - original).square().sum(1).mean()
    loss = g_src + 5.0 * g_attr + 2.0 * j_m + 11.0 * cycle
    expected = {"loss": loss, "g_src": g_src, "g_attr": g_attr, "j_m": j_m, "cycle": cycle,
                "cycle_square": ((back - gan.x) / 2).square().mean()}  # fmt: skip
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value.detach(), rtol=1e-4, atol=1e-6)
    # what it would be of own classes, or there and not back
    assert (entropy(logits, gan.own, net.sizes) - g_attr).abs() > 1e-3
    assert ((net.changed(fake, gan.target) - gan.x).abs().mean() - cycle).abs() > 1e-5


def test_a_step_goes_down_its_own_loss(gan):
    """By a small rate, on the same batch: the critic's falls, then the generator's."""
    for group in gan.work.optimizer.param_groups:
        group["lr"] = 1e-5
    for step in (gan.work.critic_step, gan.work.generator_step):
        losses = [step(gan.rows, gan.draws)[0].item() for _ in range(3)]
        assert losses[0] > losses[1] > losses[2]


def test_nobody_says_whether_an_estimate_was_hit(gan):
    """Of a face whose attribute is not told the generator's term says nothing of it."""
    work, net = gan.work, deepcopy(gan.work.network)
    work.classes = work.classes.clone()
    work.classes[gan.rows[:6], 0] = -1
    classes = work.classes[gan.rows]
    values = dict(zip(GENERATOR, work.generator_step(gan.rows, gan.draws), strict=True))
    with torch.no_grad():
        guessed = net.discriminator(gan.x)[1][:, :2].argmax(1)
        own = torch.stack([torch.where(classes[:, 0] < 0, guessed, classes[:, 0]), classes[:, 1]])
        target = work.asked(own.T, gan.draws)
        logits = net.discriminator(net.changed(gan.x, target))[1]
    terms = [
        F.cross_entropy(logits[6:, :2], target[6:, 0]),
        F.cross_entropy(logits[:, 2:], target[:, 1]),
    ]
    torch.testing.assert_close(values["g_attr"], sum(terms), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("matching", ["sm", "sm_and_op"])
def test_san(trained, matching):
    weights = {"gender_weight": 3.0, "pixel_weight": 5.0, "matching_weight": 7.0}
    recipe = replace(SAN, pretrain_epochs=0, matching=matching, **weights)
    work = task_with_judges(trained, recipe)
    work.begin([])
    rows, draws = work.rows[:8], torch.rand(8, 3, generator=torch.Generator().manual_seed(5))
    batch = work.batch(rows, draws)
    values = dict(zip(PARTS, work.adversarial(batch), strict=True))
    with torch.no_grad():
        features = work.network.features(batch.faces, batch.prototypes.sm)
        sm, op = (
            work.network.combined(features, p) for p in (batch.prototypes.sm, batch.prototypes.op)
        )
        female, classify = batch.gender, work.judges.classifier
        # told right of the face with its own prototype, wrong of that with the other
        j_g = F.cross_entropy(classify(sm), female) + F.cross_entropy(classify(op), 1 - female)
        off = [
            (work.judges.matcher(each) - work.judges.matcher(batch.faces)).square().sum(1).mean()
            for each in (sm, op)
        ]
        j_m = off[0] if matching == "sm" else (off[0] + off[1]) / 2
        j_d = {"squared": (sm - batch.faces).square().flatten(1).sum(1).mean()}[recipe.pixel]
        expected = {"j_d": j_d, "j_g": j_g, "j_m": j_m, "loss": 3 * j_g + 5 * j_d + 7 * j_m,
                    "mean_square": (sm - batch.faces).square().mean(),
                    "error_sm": (classify(sm).argmax(1) != female).float().mean(),
                    "error_op": (classify(op).argmax(1) != female).float().mean()}  # fmt: skip
    assert set(expected) == set(PARTS)
    for name, value in expected.items():
        torch.testing.assert_close(values[name].detach(), value, rtol=1e-4, atol=1e-5)
    assert (sm - op).abs().max() > 1e-3


def test_the_matchers_loss_is_equation_4_of_cosface():
    """The mean of -log(own / (own + rest)): own = e^(s (cos_y - m)), rest = the sum of e^(s cos_j)
    over all other j."""
    torch.manual_seed(0)
    scale, margin, subjects = 8.0, 0.35, [2, 0, 4, 2]
    head = CosineHead(5, scale, margin)
    embedded = F.normalize(torch.randn(4, head.directions.shape[1]), dim=1)
    found = head.loss(head(embedded), torch.tensor(subjects)).item()
    faces, directions = (t.detach().double().numpy() for t in (embedded, head.directions))
    terms = []
    for face, own in zip(faces, subjects, strict=True):
        cosines = directions @ face / np.linalg.norm(directions, axis=1)
        rest = sum(np.exp(scale * c) for j, c in enumerate(cosines) if j != own)
        mine = np.exp(scale * (cosines[own] - margin))
        terms.append(-np.log(mine / (mine + rest)))
    assert found == pytest.approx(np.mean(terms), rel=1e-5)


def test_a_registered_matcher_is_shown_grey_levels_of_255():
    seen = []

    def matcher(faces, frame):
        seen.append((faces, frame))
        return faces.flatten(1)

    matcher.network = torch.nn.Identity()
    faces = torch.rand(2, 1, 4, 4)
    embedded = LossMatcher(matcher)(faces)
    ((given, frame),) = seen
    torch.testing.assert_close(given, faces * 255)
    assert frame == FRAME
    torch.testing.assert_close(embedded, faces.flatten(1) / faces.flatten(1).norm(dim=1)[:, None])


def test_who_retrains_on_all_modes_knows_whose_face_is_whose(monkeypatch):
    """Each face of each mode shows the gender that it is said to have."""
    learnt = {}

    def learn(faces, male, seed, device, versions):
        learnt.update(faces=faces, male=male, versions=versions)
        return "reader"

    monkeypatch.setattr(mixed, "learn_cnn", learn)
    monkeypatch.setattr(mixed, "read", lambda reader, faces: (reader, faces))
    male = np.array([True, False, False, True, True])
    modes = {
        mode: np.stack([np.full((4, 4, 3), 2 * level + own, np.uint8) for own in male])
        for level, mode in enumerate(("sm", "op", "nt"))
    }
    evidence = SimpleNamespace(
        modes=modes, own=SimpleNamespace(male=male), seed=0, device="cpu", test="test faces",
        cnn=SimpleNamespace(spec=SimpleNamespace(title="CNN")),
    )  # fmt: skip
    (scored,) = mixed.run(evidence)
    assert scored.scores == ("reader", "test faces")
    assert learnt["versions"] == 3
    assert sorted(learnt["faces"][:, 0, 0, 0] // 2) == sorted([0, 1, 2] * 5)
    assert (learnt["faces"][:, 0, 0, 0] % 2 == learnt["male"]).all()


def test_shares_of_an_epoch_are_of_all_faces_with_a_label(trained, monkeypatch):
    """Also where a batch has none, and another one few: counted face by face."""
    work, seen = work_on(trained), {"told": [], "hit": []}
    work.recipe = replace(work.recipe, n_critic=1)
    work.rows, batch = work.rows[:24], 8
    work.classes = work.classes.clone()
    work.classes[work.rows[:8], 0] = -1
    work.classes[work.rows[8:13], 0] = -1
    shares = training.shares_right

    def counted(logits, classes, sizes):
        own = classes[:, 0]
        # the critic's answers come first in a step
        kind = "told" if len(seen["told"]) == len(seen["hit"]) else "hit"
        seen[kind].append((logits[:, : sizes[0]].argmax(1) == own)[own >= 0])
        return shares(logits, classes, sizes)

    monkeypatch.setattr(training, "shares_right", counted)
    steps = [work.step(rows, torch.rand(8, DRAWS)) for rows in work.rows.split(batch)]
    means = means_of(torch.stack(steps), 24, batch)
    line = work.line(1, dict(zip(GENERATOR + CRITIC, means, strict=True)), 1.0)
    assert [len(each) for each in seen["told"]] == [0, 3, 8]
    for kind, found in (("told", line.told_gender), ("hit", line.hit_gender)):
        assert found == pytest.approx(torch.cat(seen[kind]).float().mean().item())
    assert 0 <= line.told_age <= 1
    assert line.told_race is None


def test_a_label_that_no_face_has_leaves_no_share(trained):
    work = work_on(trained)
    work.classes = torch.full_like(work.classes, -1)
    means = means_of(work.step(work.rows[:8], torch.rand(8, DRAWS))[None], 8, 8)
    line = work.line(1, dict(zip(GENERATOR + CRITIC, means, strict=True)), 1.0)
    assert (line.told_gender, line.hit_gender, line.told_race) == (None, None, None)
