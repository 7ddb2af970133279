"""The cluster of these tests, started only where it is asked for: make test-slurm."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, why_not


@pytest.fixture(scope="package")
def cluster():
    """A running Slurm; skips, with the reason, where it was not asked for or cannot be had."""
    if os.environ.get("SOFTBIO_TEST_SLURM") != "1":
        pytest.skip("starts the daemons of a Slurm; run: make test-slurm")
    if reason := why_not():
        pytest.skip(reason)
    # not below pytest's own folder, which other users (munge) cannot enter
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="softbio-slurm-")))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
    shutil.rmtree(cluster.folder)
