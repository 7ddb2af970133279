"""The laws of the house: what may import what, and how long files and functions may be."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.imports import imports_of, reached_from

SOURCE = ROOT / "src/softbio"
FILES = sorted(SOURCE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def modules(folder: str, *without: str) -> list[str]:
    """Names of a folder's modules, those of its folders too, below the library."""
    paths = [path.relative_to(SOURCE).with_suffix("") for path in (SOURCE / folder).rglob("*.py")]
    return sorted(".".join(path.parts) for path in paths if path.stem not in {"__init__", *without})


ENGINE = ["data.packed", "data.augment", "data.splits", "data.pairs", "backbones.networks"]
ENGINE += [*modules("engine"), *modules("methods"), *modules("metrics")]
ENGINE += ["results.predictions", "results.evaluate", "results.scores"]
# a matcher may stand in a training loss
ENGINE += ["evaluators.interface", "evaluators.dlib_resnet", "evaluators.faceres"]
# a population is gathered from aligned files, which the lock is needed to make
ENGINE += modules("privacy", "population")
JUDGEMENT = ["metrics", "results", "statistics", "hiding", "reading", "tables", "figures", "report"]
# who answers for a face, and who makes one or trains a network
MODELS = r"engine/(train|predict|model)$|backbones/\w+$|evaluators/interface$"
MODELS += r"|privacy/(training|judging|attackers|models)/|privacy/(protect|attack)$"
# the names of methods and protectors, of which these import the rest where it is asked for
NAMES_ALONE = {"methods/base", "plan/benchmark"}
# everything that the lock installs for us beyond what a bare GPU machine has
ABSENT = ["snakemake", "safetensors", "tqdm", "joblib", "simplejpeg", "pooch", "cv2"]
ABSENT += ["matplotlib", "seaborn", "yaml", "jsonschema", "scipy", "sklearn"]


def imported(path) -> set[str]:
    """Names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_engine_imports_with_torch_numpy_pandas_and_pyarrow_alone():
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({ABSENT!r}))\n"
        f"import importlib\nfor name in {ENGINE!r}: importlib.import_module('softbio.' + name)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_config_is_checked_without_importing_torch():
    program = (
        "import sys, softbio.plan.benchmark, softbio.data.registry; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_judgement_knows_methods_and_protectors_without_importing_torch():
    names = [name for folder in JUDGEMENT for name in modules(folder)]
    assert {"tables.hiding", "figures.base", "report.write", "statistics.means"} <= set(names)
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module('softbio.' + name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_file_keeps_the_laws(path):
    names = imported(path)
    assert not any(name.split(".")[0] == "snakemake" for name in names)
    assert not names & {"pickle", "shelve", "marshal"}
    assert len(path.read_text().splitlines()) <= 300, "split it: a file has one subject"


def lengths(path: Path) -> dict[str, int]:
    """Lines of each function of a file, those of classes and inner ones too, with decorators."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[f"{node.name}, line {node.lineno}"] = node.end_lineno - first + 1
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_functions_fit_on_a_screen(path):
    assert {name: lines for name, lines in lengths(path).items() if lines > 50} == {}


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").glob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_tests_and_benchmarks_have_a_size_too(path):
    assert len(path.read_text().splitlines()) <= 320


def test_the_sizes_would_be_seen(tmp_path):
    lines = "\n".join(f"        x = {number}" for number in range(49))
    text = f"class A:\n    @property\n    def long(self):\n{lines}\n\ndef short():\n    pass\n"
    (tmp_path / "a.py").write_text(text)
    assert lengths(tmp_path / "a.py") == {"long, line 3": 51, "short, line 54": 2}


def order_within(folder: str) -> list[str]:
    """Its folders and files, each behind what it imports of them. Raises CycleError, which names
    them, where some import each other."""
    arrows: dict[str, set[str]] = {}
    for path in (SOURCE / folder).rglob("*.py"):
        files = [path.relative_to(SOURCE / folder).with_suffix("").as_posix()]
        files += [name[len(folder) :] for name in imports_of(path) if name.startswith(folder)]
        place, *imports = [name.partition("/")[0] for name in files]
        arrows.setdefault(place, set()).update(set(imports) - {place})
    return list(TopologicalSorter(arrows).static_order())


def test_folders_import_in_one_direction():
    order, flow = order_within(""), ["data", "engine", "privacy", "hiding", "tables", "report"]
    assert sorted(flow, key=order.index) == flow


@pytest.mark.parametrize(
    ("folder", "flow"),
    [
        ("data/", ["registry", "fetching", "alignment", "work", "prepare"]),
        ("privacy/", ["recipe", "models", "training", "judging", "attacks"]),
    ],
)
def test_folders_of_a_folder_import_in_one_direction(folder, flow):
    order = order_within(folder)
    assert sorted(flow, key=order.index) == flow


@pytest.mark.parametrize("folder", JUDGEMENT)
def test_judgement_never_touches_a_model(folder):
    paths = list((SOURCE / folder).rglob("*.py"))
    assert paths, "nothing is looked at"
    for path in paths:
        assert not [name for name in imported(path) if name.split(".")[0] == "torch"], path
        reached = reached_from(path, NAMES_ALONE)
        assert not [name for name in reached if re.match(MODELS, name)], path


def test_the_laws_would_see_a_model():
    """Of who touches one by a third file."""
    found = reached_from(SOURCE / "privacy/evidence.py", NAMES_ALONE)
    assert [name for name in found if re.match(MODELS, name)]
    assert len(FILES) > 150
    assert len(SCRIPTS) > 30


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_wiring(script):
    lines = [line for line in script.read_text().splitlines() if line and "import" not in line]
    assert len(lines) <= 14
    kinds = (ast.FunctionDef, ast.For, ast.If, ast.While)
    assert not [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, kinds)]
