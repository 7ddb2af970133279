"""The detector and the landmarks that aligning photographs needs, where they are to be had."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from softbio.errors import UserError
from softbio.evaluators.fetch import is_ready
from softbio.evaluators.interface import open_marker, open_network
from softbio.evaluators.registry import DETECTOR, LANDMARKS, EvaluatorSpec

log = logging.getLogger(__name__)


def detector(
    specs: Mapping[str, EvaluatorSpec], folder: Path | str
) -> Callable[[np.ndarray], np.ndarray | None]:
    """The face detector: uint8 (H, W, 3) RGB -> five points in px, (5, 2), None without a face.
    Raises UserError where it was not fetched."""
    if not is_ready(specs[DETECTOR], folder):
        raise UserError(
            f"{folder}: no face detector, see receipt.json there; run "
            "`snakemake --cores 1 evaluators --forcerun evaluators` on a machine with internet"
        )
    return open_network(specs[DETECTOR], folder)


def finders(specs: Mapping[str, EvaluatorSpec], folder: Path | str) -> dict[str, Callable]:
    """The arguments `find` and `mark` of `align`; without the net of landmarks faces are aligned
    all the same. Raises UserError without the detector."""
    found = {"find": detector(specs, folder)}
    if is_ready(specs[LANDMARKS], folder):
        found["mark"] = open_marker(specs[LANDMARKS], folder)
    else:
        log.warning(
            "no 68 landmarks: %s is not to be had; once it is, align anew: --forcerun align",
            specs[LANDMARKS].package,
        )
    return found
