"""Networks from an image batch (N, 3, H, W) to features (N, F); the method adds its head."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from softbio.backbones import BACKBONES
from softbio.errors import UserError, nearest


def small(width: int) -> nn.Module:
    """Five 3x3 convolutions with batch norm, for inputs of 16 to 64 px on a CPU; 8 width features.

    The first convolution strides: at full resolution most of the time would go to moving memory.
    """

    def block(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

    return nn.Sequential(
        *block(3, width, stride=2),
        *block(width, 2 * width),
        nn.MaxPool2d(2),
        *block(2 * width, 4 * width),
        nn.MaxPool2d(2),
        *block(4 * width, 8 * width),
        nn.MaxPool2d(2),
        *block(8 * width, 8 * width),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def resnet(name: str, pool: Callable[[], nn.Module]) -> nn.Module:
    """A ResNet whose last pooling is `pool`; the rest, initialisation included, is torchvision's.

    At 120 px the talk's code (coral-cnn at 9bcff82) pools 7x7 with stride 1 and padding 2, which
    leaves 2x2x512 = 2048 features (zero padding counts); the journal's pools 4x4: 512 features.
    The notebook of the talk's ResNet-101 (rasbt/deeplearning-models) pools as the talk's code: at
    128 px 2x2x2048 = 8192 features.
    """
    network = torchvision_features(name)
    network.avgpool = pool()
    return network


def vgg(configuration: str) -> nn.Module:
    """VGG as the talk's code has it: no batch norm, no dropout, default initialisation, 3x3x512
    features at 120 px into two layers of 4096.

    Configuration E (16 convolutions) is what the talk calls VGG-16; D is the true VGG-16.
    """
    from softbio.backbones.torchvision import torchvision

    layers = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs[configuration])
    return nn.Sequential(
        layers,
        nn.Flatten(),
        nn.Linear(512 * 3 * 3, 4096),
        nn.ReLU(inplace=True),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
    )


class InceptionFeatures(nn.Module):
    """Inception-v3, 299 px, 2048 features after dropout.

    As published it trains from scratch with the auxiliary head present but without a loss: its
    output is dropped here, its parameters never move.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = torchvision_features(
            "inception_v3", aux_logits=True, transform_input=False, init_weights=True
        )

    def forward(self, images: Tensor) -> Tensor:
        output = self.network(images)
        return output if isinstance(output, Tensor) else output.logits


def torchvision_features(name: str, **options: object) -> nn.Module:
    """Any torchvision classifier, randomly initialised, without its last linear layer."""
    from softbio.backbones.torchvision import torchvision

    network = torchvision.models.get_model(name, weights=None, **options)
    last = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not last:
        raise UserError(f"backbone '{name}' does not end in a linear layer; choose another")
    network.set_submodule(last[-1], nn.Identity())
    return network


# as the talk pools, whatever the depth
RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
_BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "small8": partial(small, 8),
    "small16": partial(small, 16),
    "small32": partial(small, 32),
    "resnet34_journal": partial(resnet, "resnet34", partial(nn.AvgPool2d, 4)),
    "vgg": partial(vgg, "E"),
    "vgg16": partial(vgg, "D"),
    "inception_v3": InceptionFeatures,
} | {name: partial(resnet, name, partial(nn.AvgPool2d, 7, stride=1, padding=2)) for name in RESNETS}


def check_backbone(name: str) -> None:
    """Raise UserError unless there is a backbone of that name, ours or torchvision's."""
    if name in BACKBONES:
        return
    from softbio.backbones.torchvision import torchvision

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UserError(f"backbone '{name}' is unknown: {nearest(name, [*BACKBONES, *known])}")


def build_backbone(name: str, crop: int) -> tuple[nn.Module, int]:
    """The network of that name and its number of features for inputs of `crop` px.

    Consumes torch's global random state for the initial weights. Raises UserError for an unknown
    name and for an input too small for the network.
    """
    check_backbone(name)
    network = _BUILDERS[name]() if name in _BUILDERS else torchvision_features(name)
    state = torch.get_rng_state()
    training = network.training
    try:
        with torch.no_grad():
            features = network.eval()(torch.zeros(1, 3, crop, crop))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"backbone '{name}' cannot take {crop} px inputs: {reason}") from None
    finally:
        torch.set_rng_state(state)
        network.train(training)
    return network, features.shape[1]


def gmac(network: nn.Module, crop: int) -> float:
    """10^9 multiply-adds of convolutions and matrix products, one image of `crop` px forward."""
    training = network.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, crop, crop))
    network.train(training)
    return counter.get_total_flops() / 2e9
