# The grid, the paths and what a result depends on.
import os
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import contains_wildcard

from softbio.plan.absence import absences, left_out
from softbio.data.registry import REPAIRED
from softbio.results.run import Run
from softbio.plan.benchmark import load_benchmark
from softbio.data.fetching.locate import own_files
from softbio.data.fetching.placed import placed
from softbio.data.registry import find, load_registry
from softbio.errors import UserError
from softbio.schema import read_yaml
from softbio.sources import TRAINING

BASE = Path(workflow.basedir).resolve()
SCHEMAS = BASE / "workflow/schemas"
REGISTRY = BASE / "config/datasets.yaml"


@contextmanager
def in_one_line():
    """A user's mistake within is shown by Snakemake as one line, without a traceback."""
    try:
        yield
    except UserError as error:
        raise WorkflowError(str(error)) from None


with in_one_line():
    # Snakemake silently takes the last of two equal keys; each job reads the same files again
    if workflow.is_main_process:
        for file in workflow.configfiles:
            if Path(file).suffix != ".json":
                read_yaml(file)
    DATASETS = load_registry(REGISTRY, config.get("datasets"))
    BENCHMARK = load_benchmark(config, SCHEMAS / "config.schema.yaml", list(DATASETS))
    ABSENT = absences(BENCHMARK, DATASETS, Path("resources"))
    BENCHMARK, SKIPPED = left_out(BENCHMARK, ABSENT)

# a source is an input of `fetch_one`, and Snakemake knows no way to escape a name in braces there
if BRACED := [
    spec for spec in DATASETS.values() if contains_wildcard(str(spec.source))
]:
    raise WorkflowError(
        f"datasets.{BRACED[0].name}.source: '{BRACED[0].source}' has a name in braces, which "
        "Snakemake takes for a wildcard; rename it, or name a link to it"
    )

RESULTS = f"results/{BENCHMARK.name}"
RUN = f"{RESULTS}/{{trait}}/{{dataset}}{{protocol}}/{{backbone}}/{{method}}{{variant}}/seed{{seed}}"
CONTROL = f"{RESULTS}/age/{{dataset}}{{protocol}}/control/median/seed0"
PACKED = "resources/packed/{dataset}/{size}"
PACKED_REPAIRED = f"resources/packed/{{dataset}}{REPAIRED}/{{size}}"
POINTS = "resources/points/{dataset}/points.parquet"
RECEIPT = "resources/evaluators/receipt.json"
# the trait is that of the data set: gender where it has no ages
OF_AGE, OF_GENDER = (
    [run for run in BENCHMARK.runs if DATASETS[run.registered].trait == trait]
    for trait in ("age", "gender")
)
RUNS = [f"{RESULTS}/age/{run.folder}" for run in OF_AGE]
CONTROLS = [
    CONTROL.format(dataset=name, protocol="")
    for name in dict.fromkeys(run.dataset for run in OF_AGE)
]


wildcard_constraints:
    dataset="[a-z0-9_]+",
    protocol=f"({REPAIRED})?",
    trait="age|gender",
    run="results/[^/]+/age/.+",
    size=r"[1-9]\d{0,4}",
    side=r"[1-9]\d{1,3}",
    backbone="(?!control/)[a-z0-9_]+",
    method="[a-z0-9_]+",
    variant="(-weighted|-shuffled)?",
    seed=r"0|[1-9]\d*",


def of_project(path):
    """A file of the project as an input. Snakemake compares inputs as text: where the results lie
    in the project, a relative path is the same after all of it was moved or copied."""
    inside = Path.cwd().is_relative_to(BASE)
    return os.path.relpath(BASE / path) if inside else str(BASE / path)


def code(*modules):
    """Source files a result depends on: Snakemake does not look inside imports."""
    return [of_project(f"src/softbio/{module}.py") for module in modules]


def package(*names):
    """The same for all files of packages."""
    folders = [BASE / "src/softbio" / name for name in names]
    return sorted(
        of_project(path) for folder in folders for path in folder.glob("*.py")
    )


def recipe_of(wildcards):
    """The recipe of the run that the wildcards name, in the grid or not."""
    run = Run(
        wildcards.dataset + wildcards.protocol,
        wildcards.backbone,
        wildcards.method,
        wildcards.variant,
        int(wildcards.seed),
    )
    try:
        if (trait := spec_of(wildcards).trait) != wildcards.trait:
            raise UserError(
                f"data set '{run.dataset}' has labels for {trait}, not {wildcards.trait}"
            )
        return BENCHMARK.recipe(run)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def size_of(dataset):
    """The size at which the first run of the grid on this data set reads its images."""
    run = next((run for run in BENCHMARK.runs if run.dataset == dataset), None)
    if run is None:
        used = ", ".join(BENCHMARK.used_datasets)
        raise WorkflowError(f"data set '{dataset}' is not in the config's grid: {used}")
    return BENCHMARK.recipe(run).size


def packed_files(dataset, size):
    """The files of a packed data set, by what they are."""
    folder = PACKED.format(dataset=dataset, size=size)
    names = {"images": "images.npy", "index": "index.parquet", "card": "card.json"}
    return {what: f"{folder}/{name}" for what, name in names.items()}


def source_of(wildcards):
    """The user's own folder or archive and its lists, so that newer ones are packed anew."""
    return list(map(str, own_files(spec_of(wildcards))))


def placed_of(wildcards):
    """What the user put into raw/, so that another archive there is packed anew."""
    return placed(spec_of(wildcards), f"resources/raw/{wildcards.dataset}")


def entry_of(wildcards):
    """The data set's entry as plain values: only in these does Snakemake see a change."""
    return asdict(spec_of(wildcards))


def spec_of(wildcards):
    """The data set's entry in the registry."""
    with in_one_line():
        return find(DATASETS, wildcards.dataset)


def reader_of(wildcards):
    """Source files of the data set's reader."""
    reader = spec_of(wildcards).reader
    drawing = package("data/faces") if reader == "drawn" else []
    return code(f"data/readers/{reader}") + drawing


def points_of(wildcards):
    """The points of the faces in a data set's images, where it is packed by them."""
    aligned = spec_of(wildcards).prepare.align != "none"
    return {"points": POINTS.format(dataset=wildcards.dataset)} if aligned else {}


def packed_for_run(wildcards):
    """The packed data set that the run's recipe reads."""
    recipe = recipe_of(wildcards)
    return packed_files(recipe.dataset, recipe.size)


def packed_for_control(wildcards):
    """A packed data set of the grid; the constant predictor reads labels only."""
    dataset = wildcards.dataset + wildcards.protocol
    return packed_files(dataset, size_of(dataset))


def recipe_params(wildcards):
    """The recipe as plain values: a change of one of them trains anew."""
    return asdict(recipe_of(wildcards))
