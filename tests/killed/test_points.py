"""Looking for faces, killed at any moment: the next run goes on, and gives the same bytes."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from softbio.data.alignment import points
from softbio.data.alignment.points import JOURNAL, find_points
from softbio.data.packing.journal import Journal
from softbio.errors import UserError
from tests.unit.test_points import archive, entry

IMAGES = 8  # of the miniature: six on its lists, two on none


class Search:
    """The work on a miniature of MORPH-2, two images a line and three a row group."""

    def __init__(self, folder: Path) -> None:
        images, self.find = archive("morph2", folder / "morph2")
        self.spec, self.folder, self.seen = entry("morph2", folder / "morph2"), folder, 0
        assert len(images) == IMAGES
        self.known = folder / "detector.bin"
        self.known.write_bytes(b"one")

    def run(self, name: str) -> bytes:
        """The file that is written; how many images were looked at is counted."""
        self.seen = 0

        def counted(image: np.ndarray) -> np.ndarray | None:
            self.seen += 1
            return self.find(image)

        path = self.folder / name / "points.parquet"
        find_points(self.spec, path, self.folder / "raw", counted, [self.known])
        assert not (path.parent / JOURNAL).exists()
        return path.read_bytes()

    def killed(self, name: str, patched: type, method: str, after: int, half: bool = False) -> None:
        """Look in a process of its own, killed when the method is called once more than that."""
        child = os.fork()
        if child == 0:
            try:
                self._die(name, patched, method, after, half)
            finally:  # whatever was raised: it must not go on with the tests of its parent
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, "it was not killed"

    def _die(self, name: str, patched: type, method: str, after: int, half: bool) -> None:
        calls, original = [], getattr(patched, method)

        def once_more(*arguments):
            calls.append(1)
            if len(calls) > after:
                if half:
                    with open(self.folder / name / JOURNAL, "ab") as file:
                        file.write(b'0123456789abcdef {"rows":[[')
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(patched, method, once_more)
            self.run(name)


@pytest.fixture
def search(tmp_path, monkeypatch) -> Search:
    monkeypatch.setattr(points, "CHUNK", 2)
    monkeypatch.setattr(points, "BATCH", 3)
    return Search(tmp_path)


@pytest.mark.parametrize(
    ("method", "after", "half", "done"),
    [("resume", 0, False, 0), ("add", 0, True, 0), ("add", 1, False, 2), ("add", 2, True, 4),
     ("contents", 0, False, IMAGES)],
)  # fmt: skip
def test_a_killed_search_is_gone_on_with_and_gives_the_same_bytes(
    search, method, after, half, done
):
    expected = search.run("whole")
    assert search.seen == IMAGES
    search.killed("out", Journal, method, after, half)
    assert search.run("out") == expected
    assert search.seen == IMAGES - done, "what was done is not done again"


def test_killed_again_and_again(search):
    expected = search.run("whole")
    for _ in range(3):
        search.killed("out", Journal, "add", 1, half=True)
    assert search.run("out") == expected
    assert search.seen == IMAGES - 6


def test_what_another_detector_found_is_not_believed(search):
    search.killed("out", Journal, "add", 2)
    search.known.write_bytes(b"two")
    search.run("out")
    assert search.seen == IMAGES


def test_damaged_work_is_done_again(search):
    expected = search.run("whole")
    search.killed("out", Journal, "add", 3)
    path = search.folder / "out" / JOURNAL
    head, first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(head + first + second.replace(b"1", b"2", 1) + third)
    assert search.run("out") == expected
    assert search.seen == IMAGES - 2


def test_a_result_that_can_not_be_written_costs_no_search(search, monkeypatch):
    """Hours of work for CACD; a full disk, or a name that the file has no room for."""
    expected = search.run("whole")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(points, "_table", full)
        with pytest.raises(OSError, match="No space left"):
            search.run("out")
    assert [path.name for path in (search.folder / "out").iterdir()] == [JOURNAL]
    assert search.run("out") == expected
    assert search.seen == 0


def test_an_error_leaves_nothing_and_a_second_process_is_told(search, monkeypatch):
    def broken(*_):
        search.run("out")

    with pytest.raises(UserError, match="another process searches for these faces"):
        monkeypatch.setattr(search, "find", broken)
        search.run("out")
    assert not list((search.folder / "out").iterdir())
