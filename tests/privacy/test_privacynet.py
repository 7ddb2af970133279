"""PrivacyNet: its networks as published, its losses, and what its modes ask for."""

import json
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from softbio.errors import UserError
from softbio.privacy import LETTERS, Attribute
from softbio.privacy.models.privacynet import (
    Discriminator,
    Generator,
    PrivacyNet,
    one_hot,
    signed,
    unsigned,
)
from softbio.privacy.plan_recipe import plan_from, privacynet_plan
from softbio.privacy.privacynet_recipe import (
    SHAPES,
    VARIANTS,
    GanShape,
    parsed,
    privacynet_recipe,
    read_recipe,
)
from softbio.privacy.protectors import get_protector
from softbio.privacy.protectors.privacynet import draws_of
from softbio.privacy.training.privacynet_losses import (
    attribute_loss,
    between,
    gradient_norms,
    penalty,
    shares_right,
)
from softbio.results.conditions import HIDDEN, HIDE_SETS, of_mode
from softbio.schema import read_yaml
from tests.conftest import ROOT
from tests.privacy.conftest import SIZE

CPU = torch.device("cpu")
KNOWN = (
    Attribute("gender", ("female", "male")),
    Attribute("age", ("up to 30", "31 to 45", "over 45")),
    Attribute("race", ("a", "b")),
)
RECIPE = privacynet_recipe(
    *("drawn64", "faces", 0), size=SIZE, epochs=2, batch=16, n_critic=2, rate=1e-3
)


# counted of StarGAN's code, RGB and seven labels: protocol-privacy.md, section 4
@pytest.mark.parametrize(("size", "millions"), [(128, 44.8), (64, 11.2)])
def test_parameters_are_those_of_the_published_shape(size, millions):
    shape = SHAPES["published"]

    def count(module):
        return sum(weight.numel() for weight in module.parameters()) / 1e6

    with torch.device("meta"):
        assert count(Generator(shape, 7, channels=3)) == pytest.approx(8.44, abs=0.005)
        assert count(Discriminator(shape, size, 7, channels=3)) == pytest.approx(millions, abs=0.05)


# the fewer, the more the adversarial term weighs beside the others
@pytest.mark.parametrize(
    ("variant", "side"), [("published", 2), ("faces64", 2), ("gpu112", 3), ("drawn64", 2)]
)
def test_patches_of_the_critic(variant, side):
    recipe = privacynet_recipe(variant, "faces", 0)
    critic = Discriminator(SHAPES[recipe.shape], recipe.size, 7)
    source, _ = critic(torch.zeros(1, 1, recipe.size, recipe.size))
    assert source.shape == (1, side, side)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("size", [32, 44])
def test_shapes_and_ranges(size, residual):
    shape = GanShape(4, 1, 4, 3, residual)
    faces = torch.rand(3, 1, size, size) * 2 - 1
    changed = Generator(shape, 7)(faces, torch.zeros(3, 7))
    assert changed.shape == faces.shape
    assert changed.abs().max() <= 1
    source, logits = Discriminator(shape, size, 7)(faces)
    assert source.shape == (3, size // 8, size // 8)
    assert logits.shape == (3, 7)


def test_a_faces_answer_is_its_own():
    """Whoever stands beside a face in a batch, and whatever was seen before."""
    net = PrivacyNet(replace(RECIPE, attributes=KNOWN))
    faces, classes = torch.rand(4, 1, SIZE, SIZE) * 2 - 1, torch.zeros(4, 3, dtype=torch.int64)
    together = net.changed(faces, classes)
    alone = net.eval().changed(faces[2:3], classes[2:3])
    torch.testing.assert_close(together[2:3], alone, atol=1e-5, rtol=0)


def test_a_residual_generator_that_changes_nothing_gives_the_face():
    generator = Generator(replace(SHAPES["tiny"], residual=True), 7)
    torch.nn.init.zeros_(generator.layers[-1].weight)
    faces = torch.rand(2, 1, SIZE, SIZE) * 1.9 - 0.95
    torch.testing.assert_close(generator(faces, torch.ones(2, 7)), faces, atol=1e-5, rtol=0)


def test_signed_and_back():
    faces = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(unsigned(signed(faces)), faces)
    assert signed(torch.tensor([0.0, 1.0])).tolist() == [-1, 1]


@given(st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4))
def test_a_linear_critic_has_the_gradient_of_its_weights(weights):
    weight = torch.tensor(weights)
    faces = torch.rand(3, 1, 2, 2)
    norms = gradient_norms(lambda x: x.flatten(1) @ weight, faces)
    torch.testing.assert_close(norms, weight.norm().expand(3), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(penalty(norms), (weight.norm() - 1).square(), atol=1e-5, rtol=1e-4)


def test_the_gradient_sums_over_patches():
    faces = torch.rand(2, 1, 2, 2)
    norms = gradient_norms(lambda x: x.flatten(1) * 3, faces)
    torch.testing.assert_close(norms, torch.full((2,), 6.0))


def test_gradient_norms_are_those_of_finite_differences():
    torch.manual_seed(1)
    critic = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    critic = critic.double()
    faces = torch.rand(1, 1, 2, 2, dtype=torch.float64)
    of = lambda x: critic(x.flatten(1))  # noqa: E731
    steps = torch.eye(4, dtype=torch.float64).reshape(4, 1, 2, 2) * 1e-6
    slopes = (of(faces + steps) - of(faces - steps)) / 2e-6
    torch.testing.assert_close(gradient_norms(of, faces)[0], slopes.norm(), rtol=1e-6, atol=0)
    # the penalty's own derivative, by a weight
    penalty(gradient_norms(of, faces)).backward()
    weight = critic[0].weight
    found, values = weight.grad[0, 0].item(), []
    for step in (1e-6, -1e-6):
        with torch.no_grad():
            weight[0, 0] += step
            values.append(penalty(gradient_norms(of, faces)).item())
            weight[0, 0] -= step
    assert found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4)


def test_between_lies_on_the_line_from_fake_to_real():
    real, fake = torch.rand(2, 3, 1, 4, 4)
    draws = torch.tensor([0.0, 0.25, 1.0])
    expected = torch.stack([torch.lerp(f, r, d) for f, r, d in zip(fake, real, draws, strict=True)])
    torch.testing.assert_close(between(real, fake, draws), expected)


def test_attributes_that_are_not_told_do_not_count():
    logits = torch.randn(4, 5, requires_grad=True)
    classes = torch.tensor([[0, 2], [-1, 1], [1, -1], [-1, -1]])
    loss = attribute_loss(logits, classes, [2, 3])
    by_hand = F.cross_entropy(logits[[0, 2], :2], torch.tensor([0, 1]))
    by_hand = by_hand + F.cross_entropy(logits[[0, 1], 2:], torch.tensor([2, 1]))
    torch.testing.assert_close(loss, by_hand)
    loss.backward()
    assert (logits.grad[1, :2] == 0).all()
    assert (logits.grad[3] == 0).all()
    assert (logits.grad[0] != 0).all()
    assert attribute_loss(logits, torch.full((4, 2), -1), [2, 3]).item() == 0


def test_shares_right_count_labelled_faces_alone():
    logits = torch.tensor([[2.0, 1.0], [1.0, 2.0], [5.0, 0.0]])
    (right,), (labelled,) = shares_right(logits, torch.tensor([[0], [0], [-1]]), [2])
    assert (right.item(), labelled.item()) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    (right,), (labelled,) = shares_right(logits, torch.full((3, 1), -1), [2])
    assert (right.item(), labelled.item()) == (0, 0)


@cache
def labelled():
    """A network that nobody has trained, of three attributes."""
    return PrivacyNet(replace(RECIPE, attributes=KNOWN))


@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), min_size=3, max_size=3))
def test_targets_differ_where_hidden_and_there_alone(seed, hidden):
    net, random = labelled(), np.random.default_rng(seed)
    own = torch.from_numpy(np.stack([random.integers(size, size=16) for size in net.sizes], 1))
    draws = torch.from_numpy(random.random((16, 3), np.float32))
    found = net.targets(own, torch.tensor(hidden).expand(16, 3), draws)
    for place, size in enumerate(net.sizes):
        assert ((found[:, place] != own[:, place]) == hidden[place]).all()
        assert ((found[:, place] >= 0) & (found[:, place] < size)).all()


def test_other_classes_are_as_likely():
    net = labelled()
    draws = torch.from_numpy(draws_of(0, np.arange(3000)))
    own = torch.zeros(3000, 3, dtype=torch.int64)
    found = net.targets(own, torch.ones(3000, 3, dtype=torch.bool), draws)
    assert (found[:, [0, 2]] == 1).all()
    assert (found[:, 1] == 1).float().mean() == pytest.approx(0.5, abs=0.03)


def test_one_hot_and_estimates():
    net = labelled()
    assert one_hot(torch.tensor([[1, 2, 0]]), net.sizes).tolist() == [[0, 1, 0, 0, 1, 1, 0]]
    logits = torch.tensor([[0.0, 1, 5, 0, 0, 0, 9]])
    assert net.filled(torch.tensor([[0, -1, -1]]), logits).tolist() == [[0, 0, 1]]


def test_modes():
    assert parsed("g") == (("gender",), "full")
    assert parsed("gar") == (("gender", "age", "race"), "full")
    assert parsed("ar-nocycle") == (("age", "race"), "nocycle")
    assert parsed("keep-nomatcher") == ((), "nomatcher")
    for wrong in ("ag", "x", "gg", "", "g-", "g-full", "keepg", "-nocycle"):
        with pytest.raises(UserError, match=f"mode '{wrong}' is unknown. Use letters in the order"):
            parsed(wrong)


def test_a_recipe_is_read_from_its_plain_values():
    recipe = replace(RECIPE, attributes=KNOWN)
    # as JSON has them
    assert read_recipe(json.loads(json.dumps(asdict(recipe)))) == recipe
    assert read_recipe(asdict(RECIPE)) == RECIPE
    with pytest.raises(UserError, match="key 'epoch' is unknown"):
        read_recipe(asdict(RECIPE) | {"epoch": 1})


def test_variants_and_what_a_config_may_say():
    for name in VARIANTS:
        assert privacynet_recipe(name, "faces", 0).attributes == ()
    recipe = privacynet_plan({"variant": "drawn64", "privacynet": {"epochs": 3}}, "faces", 5)
    assert (recipe.epochs, recipe.size, recipe.seed) == (3, 64, 5)
    for section, message in (
        ({"size": 32}, "size cannot be set"),
        ({"epocs": 3}, "did you mean 'epochs'"),
        ({"variant": "drawn46"}, "did you mean 'drawn64'"),
        ({"n_critic": 0}, "n_critic is 0"),
    ):
        with pytest.raises(UserError, match=message):
            privacynet_plan({"privacynet": section}, "faces", 0)
    falling = privacynet_recipe("published", "faces", 0, epochs=4)
    assert [falling.rate_after(n) / falling.rate for n in range(4)] == [1, 1, 1, 0.5]


def test_without_a_variant_both_networks_have_the_one_that_the_schema_prints():
    schema = read_yaml(ROOT / "workflow/schemas/config.schema.yaml")
    default = schema["properties"]["privacy"]["properties"]["variant"]["default"]
    assert plan_from({}, "faces", 1) == plan_from({"variant": default}, "faces", 1)
    assert privacynet_plan({}, "faces", 1) == privacynet_plan({"variant": default}, "faces", 1)
    own = privacynet_recipe(default, "faces", 1)
    assert (own.size, own.shape, own.epochs) == (64, "tiny5", 4)
    assert privacynet_plan({}, "faces", 1) == own


def test_modes_as_they_are_printed():
    assert {*HIDE_SETS, "keep"} == set(get_protector("privacynet").modes)
    assert HIDDEN == LETTERS
    assert of_mode("PrivacyNet", "gr") == "PrivacyNet gender, race hidden"
    assert of_mode("PrivacyNet", "keep") == "PrivacyNet nothing hidden"
    assert of_mode("PrivacyNet", "a-nocycle") == "PrivacyNet age hidden (without cycle)"
