"""What a benchmark will take, printed before anything runs: runs, GPU hours and disk space.

GPU hours go by the rate of the authors' logs (`cost.RATE`), of training alone. Disk is that of
arrays of bytes: images times side^2 times 3.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path

from softbio.data.registry import DatasetSpec
from softbio.plan.benchmark import Benchmark
from softbio.plan.cost import auxiliary_hours, privacynet_hours, san_hours, training_hours
from softbio.plan.judging_cost import parts_of
from softbio.privacy.networks import trained_networks
from softbio.privacy.plan import canvas_side, members
from softbio.privacy.plan_recipe import plan_from
from softbio.privacy.recipe import own_matcher_recipe

UNKNOWN = "unknown"
SOURCE = (
    "GPU hours: of training, at the 775 images/s of ResNet-34 at 120 px in the authors' logs "
    "(on GPUs that these do not name), by multiply-adds; a GPU of today is faster."
)
DISK = "Disk: packed images as bytes; archives by the registry, where it knows the size."


@dataclass(frozen=True)
class Estimate:
    """One data set of the grid, or one population of the second half.

    images: that are packed; runs: networks that are trained; conditions: protected copies of the
    judged faces; gpu_hours of all runs; packed_gb, archive_gb: 10^9 bytes. None: not known.
    """

    name: str
    images: int | None
    runs: int
    conditions: int
    gpu_hours: float | None
    packed_gb: float | None
    archive_gb: float | None


def counts_of(spec: DatasetSpec, packed: Path | str) -> Mapping[str, int]:
    """Images of each part: those of a data card below `packed` where there is one, else as many as
    the entry expects, which a config that changes its options has to give again; of drawn faces as
    many as there can be. Empty where nothing is known.
    """
    for card in sorted(Path(packed, spec.name).glob("*/card.json")):
        return json.loads(card.read_text())["counts"]
    if spec.reader == "drawn" and {"subjects", "images_per_subject"} <= spec.options.keys():
        return {"all": spec.options["subjects"] * spec.options["images_per_subject"]}
    return spec.expected.parts if spec.expected.holds else {}


def estimates(
    benchmark: Benchmark, specs: Mapping[str, DatasetSpec], packed: Path | str
) -> list[Estimate]:
    """One a data set of the grid, in its order, then the population; packed: the folder of the
    packed data sets, whose cards count what is there."""
    found = [_of_grid(benchmark, spec, packed) for spec in _used(benchmark, specs)]
    if benchmark.hiding.population:
        found.append(_of_hiding(benchmark, specs, packed))
    return found


def _used(benchmark: Benchmark, specs: Mapping[str, DatasetSpec]) -> list[DatasetSpec]:
    return [specs[name] for name in dict.fromkeys(run.registered for run in benchmark.runs)]


def _of_grid(benchmark: Benchmark, spec: DatasetSpec, packed: Path | str) -> Estimate:
    counts = counts_of(spec, packed)
    images, trained = sum(counts.values()), counts.get("train", sum(counts.values()))
    runs = [run for run in benchmark.runs if run.registered == spec.name]
    recipes = [benchmark.recipe(run) for run in runs]
    sizes = {recipe.size for recipe in recipes}
    return Estimate(
        spec.name,
        images or None,
        len(runs),
        0,
        fsum(training_hours(recipe, trained) for recipe in recipes) if counts else None,
        _gb(images, sizes) if counts else None,
        _archives(spec),
    )


def _of_hiding(
    benchmark: Benchmark, specs: Mapping[str, DatasetSpec], packed: Path | str
) -> Estimate:
    section, hiding = benchmark.privacy, benchmark.hiding
    names = members(hiding.population)
    counts = [sum(counts_of(specs[name], packed).values()) for name in names]
    plan = plan_from(section, hiding.population, hiding.seeds[0])
    networks = trained_networks(section, hiding)
    archives = [_archives(specs[name]) for name in names]
    known, size = all(counts), plan.san.size
    parts = parts_of(counts)
    learnt = int(parts["san"])
    hours = [san_hours(each, learnt) for each in networks.plans]
    hours += [auxiliary_hours(recipe, learnt) for recipe in networks.auxiliaries]
    hours += [privacynet_hours(*recipes, learnt) for recipes in networks.privacynets]
    own = own_matcher_recipe(plan.matcher)
    hours.append(auxiliary_hours(own, int(parts["evaluators"])))
    conditions = len(hiding.conditions())
    # the canvas, the face, and both prototypes warped to it; of protected faces those that an
    # attacker learns from and those that are judged
    disk = _gb(sum(counts), [canvas_side(size), size])
    disk += _gb(2 * sum(counts), [size] if plan.san.prototype == "warped" else [])
    disk += _gb(int(conditions * (parts["attacker"] + parts["test"])), [size])
    return Estimate(
        " to ".join(names),
        sum(counts) if known else None,
        # the own matcher, which judges, is trained once
        len(networks) + 1,
        conditions,
        fsum(hours) if known else None,
        disk if known else None,
        fsum(archives) if None not in archives else None,
    )


def _gb(images: int, sizes: Iterable[int]) -> float:
    """10^9 bytes of so many RGB images at each of the sizes."""
    return fsum(images * size**2 * 3 for size in sizes) / 1e9


def _archives(spec: DatasetSpec) -> float | None:
    """10^9 bytes of its image archives, nothing where the faces are drawn."""
    if spec.access == "generated":
        return 0.0
    sizes = [file.bytes for file in spec.archives]
    return sum(sizes) / 1e9 if sizes and None not in sizes else None


def as_text(title: str, found: Sequence[Estimate], gpu: bool) -> str:
    """The table that is printed before a run; without gpu it has no GPU hours: the time on a CPU
    was not measured."""
    head = ["data set", "images", "runs", "conditions", "GPU hours", "packed GB", "archive GB"]
    rows = [
        [
            each.name, _number(each.images, 0), str(each.runs), str(each.conditions or "-"),
            _number(each.gpu_hours, 1), _number(each.packed_gb, 1), _number(each.archive_gb, 1),
        ]
        for each in found
    ]  # fmt: skip
    rows.append(
        [
            "total", _total([e.images for e in found], 0), str(sum(e.runs for e in found)),
            str(sum(e.conditions for e in found) or "-"),
            _total([e.gpu_hours for e in found], 1), _total([e.packed_gb for e in found], 1),
            _total([e.archive_gb for e in found], 1),
        ]
    )  # fmt: skip
    shown = [place for place, name in enumerate(head) if gpu or name != "GPU hours"]
    table = [[row[place] for place in shown] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(shown))]
    lines = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join([f"{title}: what is planned", *lines, *[SOURCE] * gpu, DISK])


def _number(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def _total(values: Sequence[float | None], digits: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return UNKNOWN if values else "0"
    return _number(fsum(known), digits) + (" + unknown" if len(known) < len(values) else "")
