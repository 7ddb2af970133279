"""`make evaluators-check`: how many pairs and faces, and where the data sets are."""

import pytest

from tests.conftest import SHARED


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("evaluators")
    group.addoption("--pairs", type=int, default=60, help="pairs of each kind in a fold, 1 to 300")
    group.addoption("--faces", type=int, default=200, help="faces of each gender, one a subject")


@pytest.fixture(scope="session")
def sources() -> dict:
    """The `datasets:` section that names the real data sets; skips where they are absent."""
    found = {name: SHARED / "datasets" / name for name in ("lfw", "celeba")}
    for folder in found.values():
        if not folder.is_dir():
            pytest.skip(f"real faces are not in {folder}")
    return {name: {"source": str(folder)} for name, folder in found.items()}
