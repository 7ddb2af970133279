"""Losses and decoding rules against coral-pytorch, torch's own primitives and laws."""

import coral_pytorch.dataset
import coral_pytorch.layers
import coral_pytorch.losses
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from softbio.errors import UserError
from softbio.methods import METHODS, get_method
from softbio.methods.coral import CoralHead, diagnostics
from softbio.methods.orcnn import margins
from softbio.methods.thresholds import decode_thresholds, extended_labels, threshold_loss


def batch(k: int, count: int = 64, scale: float = 5.0, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(count, k - 1, generator=generator, dtype=torch.float64)
    return logits, torch.randint(k, (count,), generator=generator)


def test_golden_value_of_coral_pytorch():
    logits = torch.tensor([[2.1, 1.8, -2.1, -1.8], [1.9, -1.0, -1.5, -1.3], [1.9, 1.8, 1.7, 1.6]])
    loss = threshold_loss(logits, torch.tensor([2, 1, 4]), torch.ones(4))
    assert f"{loss:.4f}" == "0.6920"


@pytest.mark.parametrize("k", [2, 5, 40, 55])
@pytest.mark.parametrize("weighted", [False, True])
def test_coral_loss_equals_coral_pytorch(k, weighted):
    logits, y = batch(k)
    importance = torch.linspace(0.7, 1, k - 1, dtype=torch.float64) if weighted else None
    levels = coral_pytorch.dataset.levels_from_labelbatch(y, num_classes=k, dtype=torch.float64)
    theirs = coral_pytorch.losses.coral_loss(logits, levels, importance)
    ones = torch.ones(k - 1, dtype=torch.float64)
    torch.testing.assert_close(
        threshold_loss(logits, y, ones if importance is None else importance), theirs
    )


@pytest.mark.parametrize("k", [2, 40])
def test_extended_labels_equal_coral_pytorch(k):
    y = torch.arange(k)
    theirs = coral_pytorch.dataset.levels_from_labelbatch(y, num_classes=k)
    assert torch.equal(extended_labels(y, k), theirs.bool())


def test_loss_stays_exact_where_the_published_form_cancels():
    logits, y = torch.tensor([[60.0]]), torch.tensor([0])
    assert threshold_loss(logits, y, torch.ones(1)).item() == pytest.approx(60.0, rel=1e-7)
    # and the gradient is that of -log(1 - sigmoid)
    logits = torch.tensor([[40.0, -40.0]], requires_grad=True)
    threshold_loss(logits, torch.tensor([0]), torch.ones(2)).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0].item() == pytest.approx(1.0)


@pytest.mark.parametrize("k", [2, 5, 40])
def test_orcnn_loss_equals_the_published_softmax_form(k):
    generator = torch.Generator().manual_seed(1)
    output = 4 * torch.randn(32, 2 * (k - 1), generator=generator, dtype=torch.float64)
    y = torch.randint(k, (32,), generator=generator)
    importance = torch.linspace(0.7, 1, k - 1, dtype=torch.float64)
    # Niu et al. as the authors' script writes it: two logits (no, yes) a threshold
    pairs = F.log_softmax(output.view(-1, k - 1, 2), dim=2)
    levels = (y[:, None] > torch.arange(k - 1)).double()
    published = -(pairs[..., 1] * levels + pairs[..., 0] * (1 - levels)) * importance
    torch.testing.assert_close(
        get_method("orcnn").loss(output, y, importance), published.sum(1).mean()
    )
    ranks, probabilities = get_method("orcnn").decode(output)
    torch.testing.assert_close(probabilities, pairs[..., 1].exp())
    assert torch.equal(ranks, (pairs[..., 1].exp() > 0.5).sum(1))


def test_ce_is_cross_entropy_and_argmax():
    generator = torch.Generator().manual_seed(2)
    output, y = (
        torch.randn(16, 7, generator=generator),
        torch.randint(7, (16,), generator=generator),
    )
    method = get_method("ce")
    by_hand = -torch.log_softmax(output, 1)[torch.arange(16), y].mean()
    torch.testing.assert_close(method.loss(output, y, torch.full((6,), 9.0)), by_hand)
    ranks, probabilities = method.decode(output)
    assert torch.equal(ranks, output.max(1).indices)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(16))


def test_ties_are_no_as_published():
    ranks, probabilities = decode_thresholds(torch.zeros(1, 5))
    assert ranks.item() == 0
    assert (probabilities == 0.5).all()


@given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=60))
def test_prediction_rule_equals_coral_pytorch(logits):
    tensor = torch.tensor([logits])
    ranks, probabilities = decode_thresholds(tensor)
    theirs = coral_pytorch.dataset.proba_to_label(torch.sigmoid(tensor))
    assert ranks.item() == theirs.item() == int((probabilities > 0.5).sum())
    assert 0 <= ranks.item() <= len(logits)


def test_coral_head_equals_the_coral_layer():
    for bias, preinit in (("zeros", False), ("descending", True)):
        theirs = coral_pytorch.layers.CoralLayer(8, 6, preinit_bias=preinit)
        ours = CoralHead(8, 6, bias)
        assert torch.equal(ours.bias.detach(), theirs.coral_bias.detach().float())
        ours.weight.weight.data = theirs.coral_weights.weight.data.clone()
        features = torch.randn(4, 8)
        torch.testing.assert_close(ours(features), theirs(features))


def test_coral_counts_inverted_biases():
    head = CoralHead(2, 5, "zeros")
    assert diagnostics(head) == {"bias_inversions": 0}
    head.bias.data = torch.tensor([0.0, 1.0, 0.5, 0.6])
    assert diagnostics(head) == {"bias_inversions": 2}


@pytest.mark.parametrize(
    ("method", "extra"), [("ce", 112_695), ("orcnn", 221_292), ("coral", 2_102)]
)
def test_head_sizes_on_morph2(method, extra):
    """2048 features, 55 ranks: protocol of the talk's ResNet-34."""
    head = get_method(method).head(2048, 55, "zeros")
    assert sum(parameter.numel() for parameter in head.parameters()) == extra


@given(st.integers(0, 2**31), st.integers(2, 30))
def test_coral_probabilities_never_rise_with_ordered_biases(seed, k):
    generator = torch.Generator().manual_seed(seed)
    head = CoralHead(4, k, "descending")
    _, probabilities = decode_thresholds(head(torch.randn(8, 4, generator=generator)))
    assert (probabilities.diff(dim=1) <= 0).all()


def test_every_registered_method_is_complete():
    for name in METHODS:
        method = get_method(name)
        output = method.head(3, 4, "zeros")(torch.randn(5, 3))
        ranks, probabilities = method.decode(output)
        assert ranks.shape == (5,)
        width = {"class": 4, "exceedance": 3, "point": 0}[method.kind]
        assert probabilities.shape == (5, width)
        assert method.loss(output, torch.tensor([0, 1, 2, 3, 0]), torch.ones(3)).shape == ()
        assert method.citation
        assert method.title


@pytest.mark.parametrize("name", METHODS)
def test_importance_weights_count_where_a_method_takes_them(name):
    method, y = get_method(name), torch.arange(4)
    torch.manual_seed(0)
    output = method.head(3, 4, "zeros")(torch.randn(4, 3))
    equal, falling = (method.loss(output, y, torch.tensor(w)) for w in ([1.0] * 3, [1.0, 0.7, 0.2]))
    assert method.takes_importance == (equal.item() != falling.item())


def test_unknown_method_is_named_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'coral'"):
        get_method("corall")


def test_margin_order_is_no_yes():
    assert margins(torch.tensor([[1.0, 3.0, 5.0, 4.0]])).tolist() == [[2.0, -1.0]]
