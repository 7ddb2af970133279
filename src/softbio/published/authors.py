"""The registry of the authors' own predictions, and their files: found or downloaded, and
checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from softbio.data.fetching.locate import RECEIPT
from softbio.data.fetching.mirrors import download
from softbio.data.registry import FileSpec
from softbio.errors import UserError, nearest
from softbio.files import sha256, write_json
from softbio.results.run import Run
from softbio.schema import read_yaml, validate

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/authors.schema.yaml"
# possible places of the logs: a folder of their own, or a clone of the repository
PLACES = ("", "coral-cnn", "experiment-logs")


@dataclass(frozen=True)
class TestList:
    """The test images of a data set in the order of the predictions."""

    ages: tuple[int, int]
    images: int
    file: FileSpec

    @property
    def k(self) -> int:
        """Number of ranks."""
        return self.ages[1] - self.ages[0] + 1


@dataclass(frozen=True)
class Authors:
    """config/authors.yaml; runs: run -> (what its file holds, the file)."""

    title: str
    homepage: str
    commit: str
    licence: str
    protocol: str
    selection: str
    obtain: str
    datasets: Mapping[str, TestList]
    runs: Mapping[Run, tuple[str, FileSpec]]

    @property
    def files(self) -> Iterator[FileSpec]:
        """All files: the lists, then the predictions."""
        yield from (item.file for item in self.datasets.values())
        yield from (file for _, file in self.runs.values())

    @property
    def judged(self) -> list[Run]:
        """Runs whose files hold predictions."""
        return [run for run, (holds, _) in self.runs.items() if holds == "ranks"]


def load_authors(path: Path | str) -> Authors:
    """Read config/authors.yaml.

    Raises UserError for what the schema refuses, a run that is there twice, an unknown data set,
    and a method that lacks a seed which another one has.
    """
    entries = read_yaml(Path(path))
    validate(entries, SCHEMA, str(path))
    lists = {
        name: TestList(tuple(item["ages"]), item["images"], FileSpec(**item["list"]))
        for name, item in entries.pop("datasets").items()
    }
    backbone, runs = entries.pop("backbone"), {}
    for item in entries.pop("runs"):
        run = Run(item["dataset"], backbone, item["method"], "", item["seed"])
        if run in runs:
            raise UserError(f"{path}: {run.folder} is there twice; keep one of the two files")
        if run.dataset not in lists:
            raise UserError(f"{path}: data set {run.dataset}: {nearest(run.dataset, lists)}")
        runs[run] = (item["holds"], FileSpec(**item["file"]))
    seeds = sorted({run.seed for run in runs})
    for dataset, method in dict.fromkeys((run.dataset, run.method) for run in runs):
        for seed in seeds:
            if Run(dataset, backbone, method, "", seed) not in runs:
                raise UserError(f"{path}: {dataset}, {method} lacks seed {seed}; add its file")
    return Authors(**entries, datasets=lists, runs=runs)


def obtain(authors: Authors, folder: Path | str | None, raw: Path | str) -> dict[str, str]:
    """Find each file in `folder` or `raw`, or fetch it into `raw`; check it; leave sources.json
    there, name -> path, which it returns.

    Raises UserError for a file that cannot be obtained, with the remedy, or that is another file.
    """
    raw = Path(raw)
    raw.mkdir(parents=True, exist_ok=True)
    if folder is not None and not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder; correct --config published=FOLDER")
    homes = [raw] if folder is None else [Path(folder) / place for place in PLACES]
    found = {file.name: str(_one(authors, file, homes, raw)) for file in authors.files}
    write_json(raw / RECEIPT, found)
    return found


def _one(authors: Authors, file: FileSpec, homes: list[Path], raw: Path) -> Path:
    there = [home / file.name for home in homes if (home / file.name).is_file()]
    if "/" not in file.name:
        # each version of the repository has the lists in another place; checksums identify them
        there += sorted(path for path in homes[0].rglob(file.name) if path.is_file())
    for path in there:
        if path.stat().st_size == file.bytes and sha256(path) == file.sha256:
            return path.resolve()
    if there:
        raise UserError(
            f"{there[0]}: sha256 {sha256(there[0])} is not the expected {file.sha256}; it is "
            "another version, another run's or damaged, get it again"
        )
    if file.url is None:
        raise UserError(f"the authors' predictions: {file.name} is not there; {authors.obtain}")
    download(file, raw, "the authors' predictions", authors.obtain)
    return (raw / file.name).resolve()
