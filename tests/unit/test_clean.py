"""Cleaning up and the checks of a change remove what they made, and no config's packed data."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

CI = (ROOT / ".ci/run").read_text()
REMOVED = "\n".join(re.findall(r"^rm -rf .*", CI, re.M))
QUICK = yaml.safe_load((ROOT / "config/config.yaml").read_text())
READ = {name for block in QUICK["grid"] for name in block["datasets"]}
# what others train on, and what was fetched
STAYS = {
    *("resources/packed/utkface/48", "resources/packed/utkface-repaired/48"),
    *("resources/aligned/lfw/168", "resources/faces/celeba_to_lfw/112", "resources/points/morph2"),
    *("resources/raw/faces", "resources/evaluators/npm", "results/utkface_cpu"),
}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("command", "results"),
    [
        (["make", "-f", str(ROOT / "Makefile"), "clean"], "results/quick"),
        (["bash", "-ec", REMOVED], "results/quick_ci"),
    ],
    ids=["make clean", "ci"],
)
def test_only_the_drawn_images_are_removed(tmp_path, command, results):
    drawn = {f"resources/packed/{name}{of}/36" for name in READ for of in ("", "-repaired")}
    drawn |= {f"resources/{kind}/{QUICK['privacy']['train']}/64" for kind in ("aligned", "faces")}
    for folder in (*STAYS, *drawn, results):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").touch()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    files = (path.parent for path in Path(tmp_path).rglob("file"))
    assert {path.relative_to(tmp_path).as_posix() for path in files} == STAYS


def test_what_a_failing_second_run_says_is_shown():
    (line,) = re.findall(r"^again=.*", CI, re.M)
    program = f"set -euo pipefail\nshort=x\nmake() {{ echo why; return 2; }}\n{line}"
    ran = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (1, "why\n")
