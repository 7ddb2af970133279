"""What a method is: a head, a loss and a decoding rule, with its citation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

# What the columns of a method's probabilities mean: P(y = k), K of them, P(y > k), K - 1, or none.
Kind = Literal["class", "exceedance", "point"]


def no_diagnostics(head: nn.Module) -> dict[str, float]:
    """The diagnostics of a head that has none."""
    return {}


@dataclass(frozen=True)
class Method:
    """One way of turning image features into a rank 0..K-1.

    title: as the tables print it; citation: where it was published; kind: see `Kind`.
    head(features, k, bias): the last layer, from (N, features) to this method's output;
        bias: "zeros" | "descending", the initial biases of heads that have thresholds.
    loss(output, y, importance): scalar mean over the batch; y int64 (N,), importance float (K-1,).
    decode(output): predicted ranks int64 (N,) and probabilities (N, K, K-1 or 0).
    takes_importance: whether Eq. 7 weights enter the loss.
    diagnostics(head): what to log of the head after each epoch.
    in_talk: whether the talk's tables hold it; where not, every table and figure says so.
    """

    title: str
    citation: str
    kind: Kind
    head: Callable[[int, int, str], nn.Module]
    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    decode: Callable[[Tensor], tuple[Tensor, Tensor]]
    takes_importance: bool = True
    diagnostics: Callable[[nn.Module], dict[str, float]] = no_diagnostics
    in_talk: bool = False
