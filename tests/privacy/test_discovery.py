"""Attacks and protectors are found by their files; helpers of theirs are neither."""

import pytest

from softbio.privacy import attacks, protectors


@pytest.mark.parametrize("package", [attacks, protectors], ids=["attacks", "protectors"])
def test_a_file_whose_name_begins_with_an_underscore_is_a_helper(package, tmp_path, monkeypatch):
    for name in ("blue", "_tools", "base", "__init__"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    assert package.names() == ["blue"]
