"""Methods beyond the talk's: losses against other libraries and against slow references written
from the papers' formulas, decoding rules, laws."""

import coral_pytorch.dataset
import coral_pytorch.losses
import dlordinal.losses
import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from softbio.methods import METHODS, get_method
from softbio.methods.dldl_v2 import gaussian_labels
from softbio.methods.sord import soft_labels
from tests.unit.test_methods import batch

BEYOND = ["corn", "regression", "sord", "dldl_v2", "mean_variance"]
DISTRIBUTIONS = ["sord", "dldl_v2", "mean_variance"]


def loss_and_gradient(loss, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    logits = logits.clone().requires_grad_()
    value = loss(logits)
    value.backward()
    return value.detach(), logits.grad


def class_batch(k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits float64 (64, k) and labels that hold the lowest and the highest rank."""
    logits, y = batch(k + 1)
    y = y.clamp(max=k - 1)
    y[:2] = torch.tensor([0, k - 1])
    return logits, y


def test_golden_values_of_corn():
    """coral-pytorch: the three images of its tests (its value since the normalisation by all
    subsets), and the example in the docstring of its 1.4.0."""
    logits = torch.tensor([[2.1, 1.8, -2.1, -1.8], [1.9, -1.0, -1.5, -1.3], [1.9, 1.8, 1.7, 1.6]])
    loss = get_method("corn").loss(logits, torch.tensor([0, 1, 2]), torch.ones(4))
    assert f"{loss:.4f}" == "0.8047"
    torch.manual_seed(123)
    inputs = torch.rand(8, 99)
    logits = torch.nn.Linear(99, 4)(inputs)
    y = torch.tensor([0, 1, 2, 2, 2, 3, 4, 4])
    ours = get_method("corn").loss(logits, y, torch.ones(4))
    torch.testing.assert_close(ours, coral_pytorch.losses.CornLoss(num_classes=5)(logits, y))
    assert f"{ours:.4f}" == "0.7127"


@pytest.mark.parametrize("k", [2, 5, 40, 55])
@pytest.mark.parametrize("library", [coral_pytorch.losses.corn_loss, dlordinal.losses.CORNLoss])
def test_corn_loss_and_gradient_equal_two_libraries(k, library):
    logits, y = batch(k)

    def theirs(z):
        if library is coral_pytorch.losses.corn_loss:
            return library(z, y, k)
        return library(k)(z, y)

    ours = loss_and_gradient(lambda z: get_method("corn").loss(z, y, torch.ones(k - 1)), logits)
    torch.testing.assert_close(ours, loss_and_gradient(theirs, logits))


@given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=60))
def test_corn_decodes_as_coral_pytorch_and_never_rises(logits):
    tensor = torch.tensor([logits])
    ranks, probabilities = get_method("corn").decode(tensor)
    assert torch.equal(ranks, coral_pytorch.dataset.corn_label_from_logits(tensor))
    assert (probabilities.diff(dim=1) <= 0).all()
    assert 0 <= ranks.item() <= len(logits)


@pytest.mark.parametrize("k", [2, 6, 40])
def test_sord_loss_and_gradient_equal_dlordinal(k):
    logits, y = class_batch(k)
    theirs = dlordinal.losses.SORDLoss(alpha=1.0, num_classes=k, train_targets=y)
    ours = loss_and_gradient(lambda z: get_method("sord").loss(z, y, torch.ones(k - 1)), logits)
    torch.testing.assert_close(ours, loss_and_gradient(lambda z: theirs(z, y), logits))


def reference_dldl_v2(logits: np.ndarray, y: np.ndarray) -> float:
    """Gao et al. 2018, sec. 3: image by image, with scipy."""
    losses, ranks = [], np.arange(logits.shape[1])
    for z, true in zip(logits, y, strict=True):
        label = scipy.stats.norm.pdf(ranks, true, 2.0)
        label /= label.sum()
        p = scipy.special.softmax(z)
        losses.append(scipy.special.rel_entr(label, p).sum() + abs((p * ranks).sum() - true))
    return float(np.mean(losses))


def reference_mean_variance(logits: np.ndarray, y: np.ndarray) -> float:
    """Pan et al. 2018, sec. 3: L_s + 0.2 L_m + 0.05 L_v, with scipy."""
    n, ranks = len(y), np.arange(logits.shape[1])
    p = scipy.special.softmax(logits, axis=1)
    m = np.array([scipy.stats.rv_discrete(values=(ranks, row)).mean() for row in p])
    v = np.array([(row * (ranks - mean) ** 2).sum() for row, mean in zip(p, m, strict=True)])
    softmax_loss = -np.log(p[np.arange(n), y]).sum() / n
    mean_loss = ((m - y) ** 2).sum() / (2 * n)
    return softmax_loss + 0.2 * mean_loss + 0.05 * v.sum() / n


REFERENCES = {"dldl_v2": reference_dldl_v2, "mean_variance": reference_mean_variance}


@pytest.mark.parametrize("k", [2, 6, 40])
@pytest.mark.parametrize("name", REFERENCES)
def test_loss_equals_the_papers_formula(name, k):
    logits, y = class_batch(k)
    ours = get_method(name).loss(logits, y, torch.ones(k - 1))
    assert ours.item() == pytest.approx(REFERENCES[name](logits.numpy(), y.numpy()), rel=1e-9)


@pytest.mark.parametrize("name", [*DISTRIBUTIONS, "corn"])
def test_gradient_is_that_of_the_loss(name):
    logits, y = class_batch(5)
    logits = logits[:6, : 4 if name == "corn" else 5].clone().requires_grad_()
    loss = get_method(name).loss
    assert torch.autograd.gradcheck(lambda z: loss(z, y[:6], torch.ones(4)), logits)


def test_soft_labels_are_the_papers():
    ranks = np.arange(7)
    for true in (0, 3, 6):
        falling = np.exp(-np.abs(ranks - true))
        ours = soft_labels(torch.tensor([true]), 7)[0].numpy()
        assert ours == pytest.approx(falling / falling.sum())
        density = scipy.stats.norm.pdf(ranks, true, 2)
        ours = gaussian_labels(torch.tensor([true]), 7)[0].numpy()
        assert ours == pytest.approx(density / density.sum())


@given(st.integers(0, 2**31), st.floats(-50, 50), st.sampled_from(DISTRIBUTIONS))
def test_a_constant_added_to_all_logits_changes_nothing(seed, shift, name):
    logits, y = batch(8, count=4, seed=seed)
    y = y.clamp(max=6)
    method, ones = get_method(name), torch.ones(6)
    torch.testing.assert_close(method.loss(logits + shift, y, ones), method.loss(logits, y, ones))


@given(st.integers(0, 2**31), st.integers(0, 6))
def test_soft_label_losses_are_least_at_their_labels(seed, true):
    """Gibbs: the entropy of the labels for SORD; for DLDL-v2 the divergence is 0 there."""
    logits, y = batch(8, count=1, seed=seed)[0], torch.tensor([true])
    labels, ones = soft_labels(y, 7), torch.ones(6)
    entropy = scipy.stats.entropy(labels[0].numpy())
    assert get_method("sord").loss(labels.log(), y, ones).item() == pytest.approx(entropy)
    assert get_method("sord").loss(logits, y, ones).item() >= entropy - 1e-9
    labels = gaussian_labels(y, 7)
    off = abs((labels[0] @ torch.arange(7.0).double()).item() - true)
    at_label = get_method("dldl_v2").loss(labels.log(), y, ones).item()
    # at the ends of the range the label's own expectation is off the true rank
    assert at_label == pytest.approx(off, abs=1e-9)
    assert get_method("dldl_v2").loss(logits, y, ones).item() >= 0


@given(st.integers(0, 2**31), st.sampled_from(["corn", "mean_variance", "dldl_v2"]))
def test_losses_are_never_negative_and_zero_where_nothing_is_wrong(seed, name):
    method = get_method(name)
    logits, y = batch(8, count=4, seed=seed)
    y = y.clamp(max=6)
    assert method.loss(logits, y, torch.ones(7)).item() >= 0
    if name == "mean_variance":
        certain = 1e4 * torch.nn.functional.one_hot(y, 7).double()
        assert method.loss(certain, y, torch.ones(6)).item() == 0


@pytest.mark.parametrize("name", [name for name in METHODS if name != "regression"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_gradient_is_finite_for_extreme_logits(name, sign):
    width = {"ce": 6, "orcnn": 10, "coral": 5, "corn": 5}.get(name, 6)
    alternating = sign * 100.0 * (-1.0) ** torch.arange(width)
    output = torch.stack([torch.full((width,), sign * 100.0), alternating]).requires_grad_()
    value = get_method(name).loss(output, torch.tensor([0, 5]), torch.ones(5))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(output.grad).all()


@given(st.integers(0, 2**31), st.sampled_from(BEYOND), st.integers(2, 12))
def test_decoded_ranks_lie_within_the_range(seed, name, k):
    method = get_method(name)
    generator = torch.Generator().manual_seed(seed)
    output = method.head(3, k, "zeros")(50 * torch.randn(16, 3, generator=generator))
    ranks, probabilities = method.decode(output)
    assert ranks.dtype == torch.int64
    assert ((ranks >= 0) & (ranks < k)).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_expected_value_and_most_probable_rank_differ_where_they_should():
    """P = .4, .1, .1, .4 over ranks 0..3: mean 1.5, mode 0; halves go to the even rank."""
    output = torch.tensor([[0.4, 0.1, 0.1, 0.4], [0.1, 0.1, 0.2, 0.6]]).log()
    assert get_method("sord").decode(output)[0].tolist() == [0, 3]
    for name in ("dldl_v2", "mean_variance"):
        assert get_method(name).decode(output)[0].tolist() == [2, 2]


def test_regression_is_the_mean_absolute_error_and_the_nearest_rank():
    method = get_method("regression")
    output = torch.zeros(4, 6)
    output[:, 0] = torch.tensor([-3.0, 2.4, 2.6, 9.0])
    loss = method.loss(output, torch.tensor([0, 2, 2, 5]), torch.ones(5))
    assert loss.item() == pytest.approx((3 + 0.4 + 0.6 + 4) / 4)
    ranks, probabilities = method.decode(output)
    assert ranks.tolist() == [0, 2, 3, 5]
    assert probabilities.shape == (4, 0)


def test_regression_starts_in_the_middle_of_the_range():
    head = get_method("regression").head(3, 41, "zeros")
    head.linear.bias.data.zero_()
    assert head(torch.zeros(2, 3))[:, 0].tolist() == [20.0, 20.0]


def test_regression_reaches_both_ends_of_the_range():
    method = get_method("regression")
    head = method.head(3, 41, "zeros")
    for bias, rank in ((-9.0, 0), (9.0, 40)):
        head.linear.bias.data.fill_(bias)
        assert method.decode(head(torch.zeros(1, 3)))[0].tolist() == [rank]


def test_only_the_talks_methods_are_in_the_talk():
    assert [name for name in METHODS if get_method(name).in_talk] == ["ce", "orcnn", "coral"]
