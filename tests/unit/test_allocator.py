"""Freed memory is kept by the process, where the C library can."""

import ctypes
import subprocess
import sys
from typing import ClassVar

import pytest

from softbio import allocator

GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
COUNT = """
import ctypes, resource, sys, torch
from softbio.job import job
# without huge pages, which some systems give to all: PR_SET_THP_DISABLE of linux/prctl.h
assert ctypes.CDLL(None).prctl(41, 1, 0, 0, 0) == 0
def faults():
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    return pages * resource.getpagesize() // 4096
with job() if sys.argv[1] == "job" else open("/dev/null"):
    torch.rand(2**24)
    before = faults()
    for _ in range(40):
        torch.rand(2**24)
    print(faults() - before)
"""


def faults(where: str) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", COUNT, where], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(not GLIBC, reason="the C library is not glibc")
def test_a_job_reuses_its_memory_and_another_process_does_not():
    # 64 MiB forty times over, in pages of 4 KiB; the first few blocks find the others' places
    assert faults("bare") > 600_000
    assert faults("job") < 200_000


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not allocator.keep_freed_memory()


def test_a_python_that_cannot_call_its_c_library_is_left_alone(monkeypatch):
    def static(name):
        raise OSError("Dynamic loading not supported")

    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", static)
    assert not allocator.keep_freed_memory()


def test_pieces_are_cut_by_a_python_without_ctypes(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("content")
    given = ["softbio", "cut", "--folder", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    program = f"import runpy, sys; sys.modules['_ctypes'] = None; sys.argv = {given!r}"
    program += "; runpy.run_module('softbio', run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out/manifest.json").exists()


def test_an_old_version_that_takes_less_gets_what_it_takes(monkeypatch):
    class Old:
        asked: ClassVar = []

        @classmethod
        def mallopt(cls, option, value):
            cls.asked.append((option, value))
            return int(option == allocator.M_TRIM_THRESHOLD or value <= 2**25)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Old)
    assert allocator.keep_freed_memory() == GLIBC
    if GLIBC:
        assert Old.asked[1:] == [(-3, 2**25), (-1, 2**30)]
