"""SANs in series, each trained on what those before it gave, and used in the mode OP."""

import sys

from torch import Tensor

from softbio.privacy.family import stage_folder
from softbio.privacy.models.san import passed
from softbio.privacy.protectors.base import MANY, Batch, Protect, Protector, Resources, number_of


def networks(mode: str, count: int) -> tuple[str, ...]:
    """The stages up to the one that the mode names, of `count`."""
    last = number_of(mode, "stage", count)
    return tuple(stage_folder(stage) for stage in range(1, last + 1))


def check(mode: str) -> None:
    """Raise UserError for a mode that no series has, whatever its length."""
    networks(mode, MANY)


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "stage" and the number of the last network that a face passes."""
    series = resources.series(number_of(mode, "stage", sys.maxsize))
    source = resources.needed("source")

    def protect(batch: Batch) -> Tensor:
        return passed(series, batch.images, source.modes(batch.rows, batch.gender))

    return protect


PROTECTOR = Protector(
    title="FlowSAN",
    citation="Mirjalili, Raschka, Ross: FlowSAN: privacy-enhancing semi-adversarial networks to "
    "confound arbitrary face-based gender classifiers. IEEE Access 2019 (arXiv:1905.01388)",
    modes=("stage1", "stage2", "stage3"),
    prepare=prepare,
    needs=("members",),
    in_talk=True,
    networks=networks,
    check=check,
)
