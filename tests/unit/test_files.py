"""Files are whole or absent; errors are told once and plainly; runs say where they come from."""

import hashlib
import json
import logging
import os
import subprocess
import sys

import pytest
import torch

from softbio.engine.device import hardware
from softbio.engine.provenance import git_state, peak_memory_mb, versions
from softbio.errors import UserError, nearest
from softbio.files import atomic, atomic_folder, sha256, sibling
from softbio.job import job


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new/file.csv"
    with atomic(path) as part:
        part.write_text("whole")
        assert part.suffix == ".csv"
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_writer_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "file.csv"
    path.write_text("old")
    with pytest.raises(error), atomic(path) as part:
        part.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_stray_part_of_a_killed_writer_is_replaced(tmp_path):
    path = tmp_path / "file.csv"
    with atomic(path) as part:
        stray = part
        part.write_text("x")
    stray.write_text("a killed writer's half")
    with atomic(path) as part:
        part.write_text("whole")
    assert path.read_text() == "whole"
    assert not stray.exists()


def test_two_writers_do_not_share_a_temporary_file(tmp_path):
    """What a dead process left goes; what a living one writes stays."""
    path = tmp_path / "file.csv"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, alive = (sibling(path, process) for process in (gone.pid, os.getppid()))
    other = tmp_path / f".other.{dead.name.split('.')[2]}.part.csv"
    for stray in (dead, alive, other):
        stray.write_text("half")
    with atomic(path) as part:
        part.write_text("whole")
    assert not dead.exists()
    assert alive.exists()
    assert other.exists()  # of another file


def test_sha256(tmp_path):
    (tmp_path / "f").write_bytes(b"softbio" * 1000)
    assert sha256(tmp_path / "f") == hashlib.sha256(b"softbio" * 1000).hexdigest()


def test_a_users_mistake_is_one_line(tmp_path, capsys):
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as stopped, job(log):
        logging.getLogger("softbio.anything").info("epoch 1")
        raise UserError("data.csv: no column 'age'; add it")
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "softbio: data.csv: no column 'age'; add it\n"
    lines = log.read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("epoch 1")


def test_a_fault_of_ours_keeps_its_traceback(tmp_path, capsys):
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit), job(log):
        raise ZeroDivisionError
    assert "Traceback" in capsys.readouterr().err
    assert "ZeroDivisionError" in log.read_text()


def test_a_good_job_leaves_no_handler(tmp_path):
    before = list(logging.getLogger("softbio").handlers)
    with job(tmp_path / "job.log", threads=1):
        assert torch.get_num_threads() == 1
    assert logging.getLogger("softbio").handlers == before


def test_nearest():
    assert nearest("coralx", ["coral", "ce"]) == "did you mean 'coral'?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"


def test_provenance_is_plain_data():
    device = torch.device("cpu")
    found = [versions(), git_state(), hardware(device), peak_memory_mb(device)]
    assert json.loads(json.dumps(found)) == found
    assert found[0]["torch"] == torch.__version__
    assert peak_memory_mb(device) > 50


def test_two_writers_of_one_folder_do_not_disturb_each_other(tmp_path):
    """As two of its jobs that a cluster runs at once: the folder of a live process stays."""
    out = tmp_path / "out"
    other = sibling(out, os.getppid())
    other.mkdir()
    (other / "half").write_text("written by another process")
    with atomic_folder(out) as part:
        (part / "whole").write_text("written by this one")
    assert (other / "half").exists()
    assert [path.name for path in out.iterdir()] == ["whole"]
