"""No protection: the grey face as it is, which all others are compared with."""

from softbio.errors import UserError
from softbio.privacy.protectors.base import Protect, Protector, Resources


def check(mode: str) -> None:
    """Raise UserError for any mode but "original"."""
    if mode != "original":
        raise UserError(f"mode '{mode}' is unknown; 'none' has the mode 'original' alone")


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "original"."""
    check(mode)
    return lambda batch: batch.images


PROTECTOR = Protector(
    title="No protection",
    citation="",
    modes=("original",),
    prepare=prepare,
    check=check,
    knows_gender=False,
    in_talk=True,
)
