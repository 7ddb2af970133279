"""PrivacyNet: the attributes that a mode names are hidden, the others kept, by one network."""

import numpy as np
import torch
from torch import Tensor

from softbio.privacy import LETTERS
from softbio.privacy.attributes import labels_of
from softbio.privacy.faces import moved
from softbio.privacy.models.privacynet import signed, unsigned
from softbio.privacy.privacynet_recipe import check_hidden, parsed
from softbio.privacy.protectors.base import Batch, Protect, Protector, Resources

# of all attributes that there are, so that what a face is made does not depend on its data set
COUNT = len(LETTERS)


def networks(mode: str, count: int) -> tuple[str, ...]:
    """The network of the mode's ablation, below those of a seed."""
    return (f"privacynet/{parsed(mode)[1]}",)


def draws_of(seed: int, rows: np.ndarray) -> np.ndarray:
    """Uniform numbers for each face, float32 (B, COUNT), drawn by the seed and the face's row
    alone: in every mode a hidden attribute becomes the same."""
    drawn = [np.random.default_rng([seed, row]).random(COUNT, np.float32) for row in rows]
    return np.stack(drawn)


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: the letters of what is hidden, g (gender), a (age) and r (race) in this order, or
    "keep"; behind it "-nomatcher" or "-nocycle", for the network that was trained so.

    Raises UserError for an attribute that the network does not know: its data tell it of too few
    faces, or one value alone.
    """
    hidden, _ = parsed(mode)
    network = resources.needed("generator")
    names = [attribute.name for attribute in network.known]
    check_hidden(mode, names)
    index = resources.faces.packed.index
    classes = torch.from_numpy(np.stack([labels_of(index, each) for each in network.known], 1))
    chosen = torch.tensor([name in hidden for name in names], device=resources.device)
    places = [list(LETTERS.values()).index(name) for name in names]

    def protect(batch: Batch) -> Tensor:
        faces = signed(batch.images)
        told = moved(classes[batch.rows], faces.device)
        own = network.filled(told, network.discriminator(faces)[1])
        draws = torch.from_numpy(draws_of(resources.seed, batch.rows.numpy())[:, places])
        targets = network.targets(own, chosen.expand(len(own), -1), moved(draws, faces.device))
        return unsigned(network.changed(faces, targets))

    return protect


PROTECTOR = Protector(
    title="PrivacyNet",
    citation="Mirjalili, Raschka, Ross: PrivacyNet: semi-adversarial networks for multi-attribute "
    "face privacy. IEEE TIP 29, 2020 (arXiv:2001.00561)",
    modes=("g", "a", "r", "ga", "gr", "ar", "gar", "keep"),
    prepare=prepare,
    check=parsed,
    needs=("generator",),
    networks=networks,
    in_talk=True,
)
