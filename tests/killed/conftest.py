"""What the tests of killed runs compare with."""

import time

import pytest

from tests.killed.runs import RECIPE, finish


@pytest.fixture(scope="session")
def whole(packed, tmp_path_factory) -> bytes:
    """The predictions of a run left alone."""
    return finish(RECIPE, packed, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def seconds(whole, packed, tmp_path_factory) -> float:
    """How long such a run takes."""
    begun = time.monotonic()
    finish(RECIPE, packed, tmp_path_factory.mktemp("timed"))
    return time.monotonic() - begun
