"""A run: one cell of the grid, with a folder of its own."""

from dataclasses import dataclass

from softbio.data.registry import REPAIRED
from softbio.results.names import CONTROLS


@dataclass(frozen=True, order=True)
class Run:
    """One cell of the grid; variant as in `Recipe`. A data set under the repaired split is a data
    set of its own, utkface-repaired."""

    dataset: str
    backbone: str
    method: str
    variant: str
    seed: int

    @property
    def registered(self) -> str:
        """The data set's name in the registry, without its split."""
        return self.dataset.removesuffix(REPAIRED)

    @property
    def folder(self) -> str:
        """The folder of the run's files, below results/{name}/age/."""
        return f"{self.dataset}/{self.backbone}/{self.method}{self.variant}/seed{self.seed}"

    @property
    def is_control(self) -> bool:
        return self.method in CONTROLS or self.variant == "-shuffled"
