"""The prototypes of a population's ensemble or series, as the report draws them."""

from softbio.figures.family import GENDERS, Portrait
from softbio.hiding.load import Hiding
from softbio.privacy.prototypes import GroupPrototypes, read_prototypes

EVERYONE = "all faces"


def portraits(hiding: Hiding) -> list[Portrait]:
    """The prototypes of each group, then of all faces; empty where the population has no ensemble
    or series.

    Raises UserError for a file that does not hold prototypes.
    """
    if hiding.prototypes is None:
        return []
    found = read_prototypes(hiding.prototypes, None)
    several = isinstance(found, GroupPrototypes)
    names, means = (found.names, found.means) if several else ((), found.means[None])
    return [
        Portrait(name, gender, pixels)
        for name, pair in zip([*names, EVERYONE], means, strict=True)
        for gender, pixels in zip(GENDERS, pair, strict=True)
    ]
