"""L1 regression: the age as one number under the absolute error."""

from torch import Tensor, nn

from softbio.methods.base import Method


class Age(nn.Module):
    """(N, features) to (N, K): the predicted rank in column 0, a real number; the others are 0.

    The linear layer predicts a share of the age range around its middle: targets of tens of years
    would take Adam long to reach at the learning rates of the other methods. The other
    columns carry K to `decode`, which does not get it otherwise.
    """

    def __init__(self, features: int, k: int):
        super().__init__()
        self.k = k
        self.linear = nn.Linear(features, 1)

    def forward(self, features: Tensor) -> Tensor:
        rank = (self.linear(features).float() + 0.5) * (self.k - 1)
        return nn.functional.pad(rank, (0, self.k - 1))


def head(features: int, k: int, bias: str) -> nn.Module:
    """See `Age`; `bias` has no meaning without thresholds."""
    return Age(features, k)


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Absolute error in years, mean over the batch."""
    return (output[:, 0] - y).abs().mean()


def decode(output: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest rank within 0..K-1 (halves to the even one), int64 (N,), and no probabilities,
    (N, 0)."""
    rank = output[:, 0].round().clamp(0, output.shape[1] - 1)
    return rank.long(), output[:, :0]


METHOD = Method(
    title="L1 regression",
    citation="Baseline; as in Paplhám, Franc: A call to reflect on evaluation practices for age "
    "estimation. CVPR 2024 (arXiv:2307.04570)",
    kind="point",
    head=head,
    loss=loss,
    decode=decode,
    takes_importance=False,
)
