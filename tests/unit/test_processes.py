"""What the tests' own processes are forked from."""

import sys

from tests import project
from tests.killed import runs
from tests.processes import PREPARED


def check() -> None:
    """In such a process: what takes seconds to import was there before it."""
    sys.exit(0 if {"torch._dynamo", "snakemake.cli"} <= set(sys.modules) else 3)


def test_processes_are_forked_with_torch_and_snakemake_imported():
    assert project.PREPARED is runs.PREPARED is PREPARED
    process = PREPARED.Process(target=check)
    process.start()
    process.join(120)
    assert process.exitcode == 0, "each would import them anew"
