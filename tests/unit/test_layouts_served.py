"""Data sets out of a web server: fetched as they are handed out, then read as from the disk."""

from dataclasses import replace

import pytest

from softbio.data.fetching.locate import fetch, locate
from softbio.data.fetching.placed import DOWNLOADED
from softbio.data.registry import DatasetSpec, FileSpec, load_registry
from softbio.errors import UserError
from tests import miniatures
from tests.conftest import ROOT
from tests.layouts import aligned_of, check_originals, check_pixels, packed_of, serving

# MORPH-2 and AR Face are not handed out as archives: a person brings the images, and the lists
# alone are served, of which AR Face has none
WHOLE = ["utkface", "afad", "cacd", "celeba", "lfw", "muct"]
LISTS = ["morph2", "afad"]


def served(name: str, address: str) -> DatasetSpec:
    """The registry's entry, with all its files to be had at one address."""
    spec = miniatures.spec(name, None)
    names = {file.name: file.in_parts for file in spec.files}
    names = dict.fromkeys(spec.lists.values(), False) | names
    files = [
        FileSpec(file, f"{address}/{file}", sha256=None, bytes=None, in_parts=in_parts)
        for file, in_parts in names.items()
    ]
    return replace(spec, files=tuple(files))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("name", WHOLE)
def test_fetched_it_is_what_lay_on_the_disk(tmp_path, name):
    images = getattr(miniatures, name)(tmp_path / "web")
    if name == "cacd":
        content = miniatures.tarball({f"CACD2000/{file}": data for file, data in images.items()})
        (tmp_path / "web/CACD2000.tar.gz").write_bytes(content)
    out = tmp_path / "out"
    with serving(tmp_path / "web") as address:
        spec = served(name, address)
        sources = fetch(spec, out / "raw")
    # the server is gone: what follows needs no network
    assert locate(spec, out / "raw") == sources
    kept = {path.name for path in (out / "raw").iterdir()}
    # an archive that is handed out in parts is kept so; beside each lie the names of its members,
    # beside all what was downloaded
    parts = {file.name: file.name + "aa" for file in spec.files if file.in_parts}
    wanted = {"sources.json", DOWNLOADED, *(parts.get(file.name, file.name) for file in spec.files)}
    assert wanted <= kept
    assert {name for name in kept - wanted if not name.endswith(".members.json")} == {
        *(f"{name}{end}" for name in parts for end in ("ab", "ac"))
    }
    if spec.ages:
        check_pixels(packed_of(spec, out), images)
    else:
        check_originals(aligned_of(spec, out)[1], images)


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_fetched_where_the_images_are_brought(tmp_path, name):
    folder = tmp_path / "own"
    images = getattr(miniatures, name)(folder)
    (tmp_path / "web").mkdir()
    for path in folder.glob("*.csv"):
        path.rename(tmp_path / "web" / path.name)
    spec = miniatures.spec(name, folder)
    with serving(tmp_path / "web") as address:
        files = [replace(file, url=file.url and f"{address}/{file.name}") for file in spec.files]
        spec = replace(spec, files=tuple(files))
        fetch(spec, tmp_path / "out/raw")
    check_pixels(packed_of(spec, tmp_path / "out"), images)


def test_what_is_open_is_fetched_without_a_person():
    registry = load_registry(ROOT / "config/datasets.yaml")
    open_ones = {name for name, spec in registry.items() if spec.access == "open"}
    assert open_ones == set(WHOLE), "each is served by a test of this file"
    for name in open_ones:
        assert all(file.url for file in registry[name].archives), name


def test_a_closed_archive_is_asked_for_though_its_lists_are_to_be_had(tmp_path):
    miniatures.morph2(tmp_path / "web")
    with serving(tmp_path / "web") as address:
        spec = miniatures.spec("morph2", None)
        files = [replace(file, url=f"{address}/{file.name}") for file in spec.files]
        with pytest.raises(UserError, match=r"'morph2': the image archive is not there; request"):
            fetch(replace(spec, files=tuple(files)), tmp_path / "raw")
