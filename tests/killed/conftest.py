"""What the tests of killed runs compare with."""

import time

import pytest

from tests.killed.runs import RECIPE, add_network, began, ended, finish


@pytest.fixture(scope="package", autouse=True)
def network():
    """The network of `RECIPE`, for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        add_network(patch)
        yield


@pytest.fixture(scope="package")
def whole(network, packed, tmp_path_factory) -> bytes:
    """The predictions of a run left alone."""
    return finish(RECIPE, packed, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="package")
def seconds(whole, packed, tmp_path_factory) -> float:
    """How long such a run takes from its first batch on; before it a process starts, which takes
    longer on some machines than all of the training."""
    folder = tmp_path_factory.mktemp("timed")
    process = began(packed, folder, folder / "marker")
    begun = time.monotonic()
    assert ended(process) == 0
    return time.monotonic() - begun
