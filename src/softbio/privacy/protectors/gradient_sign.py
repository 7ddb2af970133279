"""One step along the sign of the auxiliary classifier's gradient."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.privacy.protectors.base import Batch, Protect, Protector, Resources, strength


def perturbed(classifier: nn.Module, images: Tensor, gender: Tensor, step: float) -> Tensor:
    """X' = clip(X + step sign(dS/dX)), S the cross-entropy S(y, f(X)) (Eq. 1 of the paper)."""
    with torch.enable_grad():
        moving = images.detach().clone().requires_grad_(True)
        # a sum: the gradient of a face does not depend on the batch
        loss = F.cross_entropy(classifier(moving), gender, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, moving)
    return (images + step * gradient.sign()).clamp(0, 1)


def step_of(mode: str) -> float:
    """As a share of 1."""
    return strength(mode, "eps", 0, 255) / 255


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "eps" and the step in grey levels of 255."""
    step = step_of(mode)
    classifier = resources.needed("classifier")

    def protect(batch: Batch) -> Tensor:
        return perturbed(classifier, batch.images, batch.gender, step)

    return protect


PROTECTOR = Protector(
    title="Gradient sign",
    citation="Goodfellow, Shlens, Szegedy: Explaining and harnessing adversarial examples. "
    "ICLR 2015 (arXiv:1412.6572)",
    modes=("eps2", "eps4", "eps8", "eps16"),
    prepare=prepare,
    check=step_of,
    needs=("classifier",),
)
