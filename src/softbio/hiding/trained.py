"""What was trained to protect a population's faces, and what that took."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from softbio.errors import UserError
from softbio.privacy.family import DIVERSITIES
from softbio.results.conditions import WITHOUT
from softbio.results.records import read_json

JUDGES = {"gender": "Auxiliary gender classifier", "matcher": "Auxiliary matcher"}
SINGLE, SERIES, SELECTIVE = "san", "flowsan", "privacynet"
# a network's folder below those of its seed begins with one of these
ORDER = (*JUDGES, SINGLE, *DIVERSITIES, SERIES, SELECTIVE)


@dataclass(frozen=True)
class Trained:
    """One network.

    folder: below the networks of its seed, such as "e3/member2/san"; seed: of the config, which
    members share; images: faces that it learnt from; seconds: of its epochs; memory: peak of the
    process, MB.
    """

    folder: str
    seed: int
    parameters: int
    epochs: int
    images: int
    seconds: float
    memory: float
    hardware: str

    @property
    def kind(self) -> str:
        """As printed; what differs by seed, member or stage alone is of one kind."""
        first, *rest = self.folder.split("/")
        if first in DIVERSITIES:
            return f"{JUDGES.get(rest[-1], 'SAN')}, ensemble {first.upper()}"
        if first == SERIES:
            return "SAN, later stage of FlowSAN"
        if first == SELECTIVE:
            return f"PrivacyNet {WITHOUT.get(rest[-1], '')}".strip()
        return JUDGES.get(first, "SAN" if first == SINGLE else self.folder)

    @property
    def place(self) -> tuple:
        """Judges before what they judge, then the systems in the order of their publication."""
        first, *rest = self.folder.split("/")
        known = ORDER.index(first) if first in ORDER else len(ORDER)
        return known, not rest or rest[-1] not in JUDGES, self.folder, self.seed


def read_trained(runs: Iterable[Path | str]) -> list[Trained]:
    """runs: .../seed{s}/networks/{folder}/run.json, as `write_results` writes them.

    Raises UserError for a file that is none of these or lies elsewhere.
    """
    return sorted((_read(Path(run)) for run in runs), key=lambda each: each.place)


def _read(path: Path) -> Trained:
    run, home = read_json(path), path.parent
    try:
        networks = next(folder for folder in home.parents if folder.name == "networks")
        return Trained(
            home.relative_to(networks).as_posix(),
            int(networks.parent.name.removeprefix("seed")),
            *(int(run[name]) for name in ("parameters", "epochs", "images")),
            *(float(run[name]) for name in ("training_seconds", "peak_memory_mb")),
            str(run["hardware"]),
        )
    except (StopIteration, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not of a trained network ({error}); train it again") from None
