"""Parameter counts and multiply-adds of the published networks."""

import pytest
import torch
from torch import nn

import softbio.backbones.networks as networks
from softbio.backbones import BACKBONES
from softbio.backbones.networks import build_backbone, gmac
from softbio.errors import UserError


@pytest.mark.parametrize(
    ("name", "crop", "features", "parameters", "giga"),
    [
        # coral-cnn at 9bcff82 and at HEAD; torchvision's documented figures
        ("resnet34", 120, 2048, 21_284_672, 1.130),
        ("resnet34_journal", 120, 512, 21_284_672, 1.130),
        ("vgg", 120, 4096, 55_684_160, 5.566),
        ("vgg16", 120, 4096, 50_374_464, 4.389),
        ("inception_v3", 299, 2048, 27_161_264 - 2048 * 1000 - 1000, 5.711),
        ("resnet101", 128, 8192, 44_549_160 - 2048 * 1000 - 1000, 2.547),
    ],
)
def test_parameters_and_gmac(name, crop, features, parameters, giga):
    network, width = build_backbone(name, crop)
    assert width == features
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert gmac(network, crop) == pytest.approx(giga, abs=0.0006)


def test_vgg_has_sixteen_convolutions_no_batch_norm_no_dropout():
    kinds = [type(module) for module in build_backbone("vgg", 120)[0].modules()]
    assert kinds.count(nn.Conv2d) == 16
    assert nn.BatchNorm2d not in kinds
    assert nn.Dropout not in kinds
    kinds = [type(module) for module in build_backbone("vgg16", 120)[0].modules()]
    assert kinds.count(nn.Conv2d) == 13


def test_resnet34_pools_as_the_talk_does():
    """7x7, stride 1, padding 2 over 4x4: each output averages the map's corner over 49 cells."""
    network, _ = build_backbone("resnet34", 120)
    pooled = network.avgpool(torch.ones(1, 512, 4, 4))
    assert pooled.shape == (1, 512, 2, 2)
    # every window covers all 16 cells, and the padding counts
    torch.testing.assert_close(pooled, torch.full_like(pooled, 16 / 49))


def test_resnet34_initialisation_is_he_fan_out():
    torch.manual_seed(0)
    network, _ = build_backbone("resnet34", 120)
    for convolution in (network.layer4[0].conv1, network.layer2[1].conv2):
        fan_out = 3 * 3 * convolution.out_channels
        assert convolution.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.02)


def test_inception_trains_without_a_loss_on_its_auxiliary_head():
    network, _ = build_backbone("inception_v3", 299)
    output = network.train()(torch.rand(2, 3, 299, 299))
    assert output.shape == (2, 2048)
    output.sum().backward()
    assert all(parameter.grad is None for parameter in network.network.AuxLogits.parameters())
    assert network.network.Mixed_5b.branch1x1.conv.weight.grad is not None


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "efficientnet_b0", "densenet121"])
def test_any_torchvision_classifier_by_name(name):
    network, features = build_backbone(name, 64)
    assert network.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, features)
    assert features != 1000


def test_names_and_builders_agree():
    assert tuple(networks._BUILDERS) == BACKBONES


def test_building_leaves_the_random_state_to_the_weights():
    """The probe that measures the features must not consume random numbers."""
    torch.manual_seed(3)
    build_backbone("inception_v3", 299)
    after = torch.rand(1)
    torch.manual_seed(3)
    networks.InceptionFeatures()
    assert torch.equal(after, torch.rand(1))


@pytest.mark.parametrize(
    ("name", "crop", "message"),
    [
        ("resnet_34", 120, "did you mean 'resnet34'"),
        ("squeezenet1_0", 120, "linear layer"),
        ("vgg", 64, "cannot take 64 px"),
    ],
)
def test_bad_backbones_are_named(name, crop, message):
    with pytest.raises(UserError, match=message):
        build_backbone(name, crop)
