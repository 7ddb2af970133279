"""Printed names of backbones and data sets, and the order of all names in tables and figures."""

from collections.abc import Iterable

from softbio.data.registry import REPAIRED
from softbio.methods import METHODS
from softbio.results.names import CONTROLS, VARIANTS

BACKBONES = {
    "small8": "Small CNN, width 8",
    "small16": "Small CNN, width 16",
    "small32": "Small CNN, width 32",
    "resnet34": "ResNet-34",
    "resnet34_journal": "ResNet-34 (journal)",
    # the talk calls it VGG-16; it has 16 convolutions and 3 fully connected layers
    "vgg": "VGG (16 conv.)",
    "vgg16": "VGG-16",
    "inception_v3": "Inception-v3",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
}
DATASETS = {
    "faces": "Drawn faces",
    "portraits": "Drawn portraits",
    "morph2": "MORPH-2",
    "afad": "AFAD",
    "utkface": "UTKFace",
    "cacd": "CACD",
    "celeba": "CelebA",
    "lfw": "LFW",
}


def label(name: str) -> str:
    """The printed name of a backbone or data set; an unknown name is returned as it is. Names
    of methods are in `names.Names`."""
    if name.endswith(REPAIRED):
        return f"{label(name.removesuffix(REPAIRED))}, repaired split"
    return (BACKBONES | DATASETS).get(name, name)


def in_text(name: str) -> str:
    """The name inside a sentence."""
    if name in BACKBONES and name.startswith("small"):
        return f"the small CNN of width {name.removeprefix('small')}"
    return label(name).replace("Drawn", "the drawn")


def in_order(names: Iterable[str]) -> list[str]:
    """Unique names in the order of the published tables, then others as they come, then controls."""
    known = [*METHODS, *BACKBONES, *DATASETS, *VARIANTS]
    rank = {name: position for position, name in enumerate(known)}
    unique = list(dict.fromkeys(names))

    def place(name: str) -> tuple:
        # the repaired split of a data set comes after the published one
        published = name.removesuffix(REPAIRED)
        met = unique.index(published if published in unique else name)
        return name in CONTROLS, rank.get(published, len(known)), met, name != published

    return sorted(unique, key=place)
