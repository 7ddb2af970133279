"""What several workers of the tests need is made by one of them."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.once import once
from tests.processes import PREPARED


def worker(base: Path, name: str) -> None:
    """A worker of pytest-xdist that asks for a folder which takes a while."""
    os.environ["PYTEST_XDIST_WORKER"] = name
    own = base / f"popen-{name}"
    own.mkdir()

    def make(folder: Path) -> None:
        with open(base / "calls.txt", "a") as file:
            file.write(f"{name}\n")
        time.sleep(0.5)
        (folder / "content.txt").write_text(name)

    folder = once(SimpleNamespace(getbasetemp=lambda: own), "slow", make)
    (own / "seen.txt").write_text((folder / "content.txt").read_text())


def test_the_second_waits_for_the_first(tmp_path):
    processes = [PREPARED.Process(target=worker, args=(tmp_path, name)) for name in ("a", "b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    (maker,) = (tmp_path / "calls.txt").read_text().split()
    assert [(tmp_path / f"popen-{name}/seen.txt").read_text() for name in "ab"] == [maker, maker]


def test_what_failed_is_tried_again_from_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    factory = SimpleNamespace(getbasetemp=lambda: tmp_path)

    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        once(factory, "some", broken)
    folder = once(factory, "some", lambda folder: (folder / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]
    assert once(factory, "some", broken) == folder
