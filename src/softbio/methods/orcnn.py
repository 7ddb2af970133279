"""OR-CNN: K-1 independent binary classifiers, two logits each."""

from torch import Tensor, nn

from softbio.methods.base import Method
from softbio.methods.thresholds import decode_thresholds, threshold_loss


def head(features: int, k: int, bias: str) -> nn.Module:
    """Two logits a threshold, in the order (no, yes); the layer's default bias, as published."""
    return nn.Linear(features, 2 * (k - 1))


def margins(output: Tensor) -> Tensor:
    """Yes minus no, (N, 2(K-1)) to (N, K-1): the softmax of two logits is a sigmoid of it."""
    no, yes = output.unflatten(1, (-1, 2)).unbind(dim=2)
    return yes - no


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Eq. 3 of Niu et al.: cross-entropy of each two-way softmax, summed over the thresholds."""
    return threshold_loss(margins(output), y, importance)


def decode(output: Tensor) -> tuple[Tensor, Tensor]:
    """See `decode_thresholds`; nothing keeps the K-1 probabilities in order."""
    return decode_thresholds(margins(output))


METHOD = Method(
    title="OR-CNN",
    citation="Niu, Zhou, Wang, Gao, Hua: Ordinal regression with multiple output CNN for age "
    "estimation. CVPR 2016",
    kind="exceedance",
    head=head,
    loss=loss,
    decode=decode,
    in_talk=True,
)
