"""The network and its prototypes: layer by layer, and against the released checkpoint."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from softbio.engine.model import weights_of
from softbio.errors import UserError
from softbio.privacy.models.auxiliaries import (
    PUBLISHED_PARAMETERS,
    GenderClassifier,
    SmallMatcher,
    check_matcher,
)
from softbio.privacy.models.san import PUBLISHED_PARAMETERS as OF_SAN
from softbio.privacy.models.san import Modes, build_san, load_released
from softbio.privacy.models.weights import build_network, load_network, save_network
from softbio.privacy.recipe import SHAPES, VARIANTS, SanRecipe, san_recipe
from tests.conftest import SHARED

RELEASED = SHARED / "published/san/conv-autoencoder-e20.pkl"


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def random_inputs(size: int, count: int = 2) -> tuple[torch.Tensor, Modes]:
    generator = torch.Generator().manual_seed(1)
    faces = torch.rand(count, 1, size, size, generator=generator)
    same, opposite = (torch.rand(count, 3, size, size, generator=generator) for _ in range(2))
    return faces, Modes(same, (same + opposite) / 2, opposite)


def test_a_network_is_laid_out_for_speed_and_saved_as_any_other(tmp_path):
    """Fresh or read again, memory is channels last; nobody who reads the file sees it."""
    recipe = san_recipe("drawn64", "faces", 0)
    made = build_network(recipe)
    save_network(tmp_path / "network.safetensors", recipe, made)
    again, read = load_network(tmp_path / "network.safetensors", SanRecipe)
    assert again == recipe
    for network in (made, read):
        weight = network.autoencoder[0].weight
        assert weight.is_contiguous(memory_format=torch.channels_last)
        assert not weight.is_contiguous()
    plain = load_file(tmp_path / "network.safetensors")
    for name, tensor in made.state_dict().items():
        assert torch.equal(plain[name], tensor)
        assert torch.equal(read.state_dict()[name], tensor)
    faces, prototypes = random_inputs(64)
    usual = build_san(recipe.shape)
    usual.load_state_dict(plain)
    for ours, theirs in zip(made(faces, prototypes), usual(faces, prototypes), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_that_is_not_finite_is_neither_written_nor_read(tmp_path, value):
    recipe, path = san_recipe("drawn64", "faces", 0), tmp_path / "network.safetensors"
    made = build_network(recipe)
    with torch.no_grad():
        made.autoencoder[0].weight[0, 0, 0, 0] = value
    with pytest.raises(UserError, match=r"network\.safetensors: autoencoder\.0\.weight is not fin"):
        save_network(path, recipe, made)
    assert not path.exists()
    save_file(weights_of(made), path, metadata={"recipe": json.dumps(asdict(recipe))})
    told = r"network\.safetensors: not a SanRecipe network \(autoencoder\.0\.weight is not finite\)"
    with pytest.raises(UserError, match=told):
        load_network(path, SanRecipe)


@pytest.fixture(scope="module")
def released():
    if not RELEASED.exists():
        pytest.skip(f"the released checkpoint is not in {RELEASED.parent}")
    return load_released(RELEASED)


def test_published_layers_one_by_one():
    network = build_san("published")
    assert parameters(network) == OF_SAN == 324_248
    convolutions = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    assert convolutions == {
        **{"autoencoder.0.weight": (8, 4, 3, 3), "autoencoder.0.bias": (8,)},
        **{"autoencoder.3.weight": (12, 8, 3, 3), "autoencoder.3.bias": (12,)},
        **{"autoencoder.6.weight": (256, 12, 3, 3), "autoencoder.6.bias": (256,)},
        **{"autoencoder.9.weight": (128, 256, 3, 3), "autoencoder.9.bias": (128,)},
        **{"protocombiner.0.weight": (1, 131, 1, 1), "protocombiner.0.bias": (1,)},
    }
    value, shapes = torch.rand(1, 4, 224, 224), []
    for layer in network.autoencoder:
        value = layer(value)
        shapes.append(tuple(value.shape[1:]))
    assert shapes[2::3] == [(8, 112, 112), (12, 56, 56), (256, 112, 112), (128, 224, 224)]
    slopes = [layer.negative_slope for layer in network.autoencoder[1::3]]
    assert slopes == [0.01] * 4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [32, 64, 112])
def test_each_shape_gives_faces_of_the_size_it_took(shape, size):
    with torch.no_grad():
        for mode in build_san(shape)(*random_inputs(size, 1)):
            assert mode.shape == (1, 1, size, size)
            assert 0 < mode.min() <= mode.max() < 1


def test_small_shapes_keep_more_in_the_bottleneck():
    at = {name: 64 // 2**shape.pools for name, shape in SHAPES.items()}
    kept = {name: shape.widths[1] * at[name] ** 2 for name, shape in SHAPES.items()}
    assert kept["px64"] == kept["px112"] == 4 * kept["published"]


def test_published_features_come_in_blocks_of_four_pixels_and_ours_do_not():
    for shape in SHAPES:
        faces, prototypes = random_inputs(32)
        with torch.no_grad():
            features = build_san(shape).features(faces, prototypes.sm)
        blocks = torch.equal(features[:, :, ::2, ::2], features[:, :, 1::2, 1::2])
        assert blocks == (shape == "published")


def identity_holds(network, size: int) -> None:
    """logit(OP) - logit(SM) = w . (P_OP - P_SM), whatever the face; NT is the middle."""
    faces, (same, _, opposite) = random_inputs(size)
    network, faces, same, opposite = (each.double() for each in (network, faces, same, opposite))
    prototypes = Modes(same, (same + opposite) / 2, opposite)
    with torch.no_grad():
        sm, nt, op = (torch.logit(each) for each in network(faces, prototypes))
        w = network.protocombiner[0].weight[0, -3:, 0, 0]
        expected = torch.einsum("c,bchw->bhw", w, prototypes.op - prototypes.sm)[:, None]
    torch.testing.assert_close(op - sm, expected, rtol=0, atol=1e-9)
    torch.testing.assert_close(nt, (sm + op) / 2, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_of_the_modes_differ_by_the_prototypes_alone(shape):
    identity_holds(build_san(shape), 32)


def test_released_checkpoint_runs(released):
    assert parameters(released) == OF_SAN
    weight, bias = released.protocombiner[0].weight, released.protocombiner[0].bias
    torch.testing.assert_close(
        weight[0, -3:, 0, 0], torch.tensor([1.312, 1.476, -0.257]), rtol=0, atol=1e-3
    )
    assert bias.item() == pytest.approx(-0.287, abs=1e-3)
    with torch.no_grad():
        modes = released(*random_inputs(224, 1))
    assert all(mode.shape == (1, 1, 224, 224) and mode.isfinite().all() for mode in modes)


def test_released_checkpoint_keeps_a_drawn_face(released, drawn):
    """It was trained on photographs; a face scaled up from 32 px still comes back as itself."""
    image = torch.from_numpy(drawn.packed.images[:2]).permute(0, 3, 1, 2) / 255
    large = nn.functional.interpolate(image, size=224, mode="bilinear")
    grey, prototype = large.mean(1, keepdim=True), large.mean(0, keepdim=True).expand(2, -1, -1, -1)
    with torch.no_grad():
        sm = released(grey, Modes(prototype, prototype, prototype)).sm
    assert np.corrcoef(sm.flatten().numpy(), grey.flatten().numpy())[0, 1] > 0.9
    assert -10 * (sm - grey).square().mean().log10() > 18


def test_released_checkpoint_keeps_the_identity(released):
    identity_holds(load_released(RELEASED), 64)


def test_another_file_is_not_the_released_checkpoint(tmp_path):
    torch.save({"autoencoder.0.weight": torch.zeros(1)}, tmp_path / "other.pkl")
    (tmp_path / "text.pkl").write_text("no weights")
    for name in ("other.pkl", "text.pkl", "absent.pkl"):
        with pytest.raises(UserError, match=name):
            load_released(tmp_path / name)


def test_published_classifier():
    network = GenderClassifier().eval()
    assert parameters(network) == PUBLISHED_PARAMETERS == 2_159_618
    with torch.no_grad():
        features = network.features(torch.zeros(1, 1, 224, 224))
        assert features.shape == (1, 512, 7, 7)
        # the adaptive pooling is the published 7 x 7 one
        published = nn.AvgPool2d(7)(features)
        torch.testing.assert_close(network.head[0](features), published)
        assert network(torch.zeros(3, 1, 64, 64)).shape == (3, 2)


def test_a_matcher_is_checked():
    check_matcher(SmallMatcher(8).eval(), 32, torch.device("cpu"))

    class Constant(nn.Module):
        def forward(self, faces):
            return torch.ones(len(faces), 4) / 2

    with pytest.raises(UserError, match="no gradient"):
        check_matcher(Constant(), 32, torch.device("cpu"))
    with pytest.raises(UserError, match="not of length 1"):
        check_matcher(nn.Flatten(), 32, torch.device("cpu"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_are_recipes(variant):
    recipe = san_recipe(variant, "faces", 0)
    assert recipe == SanRecipe(dataset="faces", seed=0, **VARIANTS[variant].values)


def test_the_talks_variant_is_the_talks():
    recipe = san_recipe("talk", "celeba", 0)
    assert (recipe.pixel, recipe.pixel_weight, recipe.matching) == ("squared", 0, "sm")
    assert (recipe.gender_weight, recipe.matching_weight, recipe.shape) == (1, 1, "published")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 30, "shape": "published"}, "multiple of 4"),
        ({"pixel": "l2"}, "choose one of"),
        ({"rate": 0.0}, "above 0"),
        ({"batch": 0}, "at least 1"),
        ({"epochs": 0, "pretrain_epochs": 0}, "nothing would be trained"),
        ({"matching_weight": float("nan")}, "at least 0"),
        ({"pretrain_rat": 1e-3}, "did you mean 'pretrain_rate'"),
        ({"flip": 1}, "must be of type bool"),
    ],
)
def test_bad_recipes_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        san_recipe("drawn64", "faces", 0, **changes)
