"""The laws of the house that an import can break."""

import ast
import subprocess
import sys

import pytest

from softbio.methods import METHODS
from softbio.privacy import attacks
from softbio.privacy.protectors import names
from tests.conftest import ROOT

SOURCE = ROOT / "src/softbio"
FILES = sorted(SOURCE.rglob("*.py"))
ENGINE = ["recipe", "data.packed", "data.augment", "data.splits", "backbones.networks", "methods"]
ENGINE += [f"methods.{name}" for name in METHODS]
ENGINE += ["model", "train", "predict", "controls", "predictions", "metrics.evaluate", "importance"]
ENGINE += ["metrics.verification", "metrics.classification", "metrics.quality", "scores", "pairs"]
# a matcher may stand in a training loss
ENGINE += ["evaluators.interface", "evaluators.dlib_resnet", "evaluators.faceres"]
ENGINE += [
    f"privacy.{path.stem}"
    for path in sorted((SOURCE / "privacy").glob("*.py"))
    if path.stem != "__init__"
]
ENGINE += [f"privacy.protectors.{name}" for name in names()]
ENGINE += [f"privacy.attacks.{name}" for name in attacks.names()]
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
            names.add(node.module)
    return names


def test_the_engine_imports_with_torch_numpy_pandas_and_pyarrow_alone():
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({ABSENT!r}))\n"
        f"import importlib\nfor name in {ENGINE!r}: importlib.import_module('softbio.' + name)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_config_is_checked_without_importing_torch():
    program = "import sys, softbio.benchmark, softbio.data.registry; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_tables_and_figures_know_the_methods_without_importing_torch():
    program = "import sys, softbio.tables, softbio.figures; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_file_keeps_the_laws(path):
    names = imported(path)
    assert not any(name.split(".")[0] == "snakemake" for name in names)
    assert not names & {"pickle", "shelve", "marshal"}
    assert len(path.read_text().splitlines()) <= 320, "a room with too much in it"


@pytest.mark.parametrize("folder", ["metrics", "tables", "figures"])
def test_judgement_never_touches_a_model(folder):
    for path in (SOURCE / folder).glob("*.py"):
        touched = {"torch", "softbio.train", "softbio.predict", "softbio.model"}
        assert not imported(path) & touched, path


@pytest.mark.parametrize(
    "script", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.stem
)
def test_scripts_are_wiring(script):
    lines = [line for line in script.read_text().splitlines() if line and "import" not in line]
    assert len(lines) <= 14
    kinds = (ast.FunctionDef, ast.For, ast.If, ast.While)
    assert not [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, kinds)]
