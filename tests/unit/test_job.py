"""How a piece of work ends: in one line where a user can mend it, with a traceback elsewhere."""

import errno
import logging
import re

import pytest
import torch

from softbio.errors import UserError
from softbio.job import job


def ended(error: BaseException, log, capsys) -> str:
    with pytest.raises(SystemExit) as ending, job(log):
        logging.getLogger("softbio").info("at work")
        raise error
    assert ending.value.code == 1
    told = capsys.readouterr().err
    assert told.rstrip() in log.read_text()
    assert "at work" in log.read_text()
    return told


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("key 'x' is unknown"), "softbio: key 'x' is unknown"),
        (
            OSError(errno.EACCES, "Permission denied", "/out/metrics.json"),
            "softbio: /out/metrics.json: Permission denied; correct the path",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "softbio: a result: No space left"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
            "softbio: the GPU is out of memory; lower `batch` in the config, or .* gpu_slots=1",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(tmp_path, capsys, error, line):
    told = ended(error, tmp_path / "job.log", capsys)
    assert re.match(line, told)
    assert told.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.EBADF, "a bug")])
def test_anything_else_keeps_its_traceback(tmp_path, capsys, error):
    assert "Traceback" in ended(error, tmp_path / "job.log", capsys)


def test_a_log_that_can_not_be_written_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit), job(tmp_path / "absent/job.log"):
        raise AssertionError("must not begin")
    told = capsys.readouterr().err
    assert "absent/job.log: No such file or directory" in told
    assert told.count("\n") == 1


def test_a_stop_passes_through(tmp_path):
    with pytest.raises(SystemExit) as ending, job(tmp_path / "job.log"):
        raise SystemExit(143)
    assert ending.value.code == 143
