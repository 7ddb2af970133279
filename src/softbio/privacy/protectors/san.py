"""The semi-adversarial network in its three modes."""

from torch import Tensor

from softbio.errors import UserError
from softbio.privacy.models.san import MODES
from softbio.privacy.protectors.base import Batch, Protect, Protector, Resources


def check(mode: str) -> None:
    """Raise UserError for a mode that is none of `MODES`."""
    if mode not in MODES:
        raise UserError(f"mode '{mode}' is unknown; SAN has {', '.join(MODES)}")


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "sm", "nt" or "op": whose prototype enters behind the autoencoder."""
    check(mode)
    network, source = resources.needed("san"), resources.needed("source")

    def protect(batch: Batch) -> Tensor:
        prototypes = source.modes(batch.rows, batch.gender)
        features = network.features(batch.images, prototypes.sm)
        return network.combined(features, getattr(prototypes, mode))

    return protect


PROTECTOR = Protector(
    title="SAN",
    citation="Mirjalili, Raschka, Namboodiri, Ross: Semi-adversarial networks: convolutional "
    "autoencoders for imparting privacy to face images. ICB 2018 (arXiv:1712.00321)",
    modes=MODES,
    prepare=prepare,
    check=check,
    needs=("san",),
    in_talk=True,
)
