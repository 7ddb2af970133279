"""Aligning that is killed, at any moment: the next run goes on, and gives the same bytes."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from softbio.data.alignment import align as module
from softbio.data.alignment.align import align
from softbio.data.alignment.template import TEMPLATE
from softbio.data.packing import filling
from softbio.data.packing.filling import Packing
from softbio.data.packing.pictures import decode
from softbio.data.registry import DatasetSpec, load_registry
from softbio.errors import UserError
from tests.conftest import ROOT
from tests.killed.test_packing import at_line, in_finish, kill, killed_in
from tests.unit.test_prepare import photo

RESULTS = ("images.npy", "index.parquet", "rejected.csv")
IMAGES, SIDE = 11, 56
FACELESS = decode(photo(5))


@pytest.fixture
def spec(tmp_path, monkeypatch) -> DatasetSpec:
    """Eleven photographs, the third of them no image and the fifth without a face, aligned two at a
    time; the archive holds them from the last to the first."""
    monkeypatch.setattr(filling, "CHUNK_ROWS", 2)
    contents = {f"{number:06d}.jpg": photo(number) for number in range(1, IMAGES + 1)}
    contents["000003.jpg"] = b"none"
    return celeba(tmp_path / "own", dict(reversed(contents.items())))


def celeba(folder: Path, contents: dict[str, bytes]) -> DatasetSpec:
    """An entry of such files, stored in this order, and the lists of them."""
    source = folder / "files"
    source.mkdir(parents=True)
    with tarfile.open(folder / "img_align_celeba.tar", "w") as archive:
        for name, content in contents.items():
            (source / name).write_bytes(content)
            archive.add(source / name, f"img_align_celeba/{name}")
    rows = "".join(f"{name} -1  1\n" for name in sorted(contents))
    (folder / "list_attr_celeba.txt").write_text(f"{len(contents)}\nBald Male \n{rows}")
    (folder / "identity_CelebA.txt").write_text("".join(f"{name} 7\n" for name in sorted(contents)))
    changes = {"celeba": {"source": str(folder)}}
    return load_registry(ROOT / "config/datasets.yaml", changes)["celeba"]


def find(image: np.ndarray) -> np.ndarray | None:
    """Points that differ from image to image and are whole numbers nowhere."""
    if np.array_equal(image, FACELESS):
        return None
    return TEMPLATE / 3 + image[:5, :2, 0] / 100


def mark(canvas: np.ndarray) -> np.ndarray:
    return canvas[:17, :8, 0].reshape(68, 2) / 7.0


def aligned(
    spec: DatasetSpec, folder: Path, known: tuple[Path, ...] = (), side: int = SIDE
) -> None:
    align(spec, folder, folder.parent / "raw", find, mark, side, known)


def whole(spec: DatasetSpec, folder: Path, **changes) -> dict[str, bytes]:
    aligned(spec, folder, **changes)
    assert {path.name for path in folder.iterdir()} == {*RESULTS}
    return {name: (folder / name).read_bytes() for name in RESULTS}


def looked_at(patch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that are decoded from here on."""
    files = []

    def counted(content: bytes, upright: bool) -> np.ndarray:
        files.append(content)
        return decode(content, upright)

    patch.setattr(module, "decode", counted)
    return files


# how it is killed, and how many images the next run need not look at
MOMENTS = {
    "before the head": (at_line(0, 0.0), 0),
    "half a line": (at_line(3, 0.5), 4),
    "a line": (at_line(4, 1.0), 8),
    "rows are moved": (in_finish, 1),
    "before the array is named": (lambda patch, _: patch.setattr(Packing, "finish", kill), 11),
    "before the index": (lambda patch, _: patch.setattr(module, "_index", kill), 0),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_gone_on_with_and_gives_the_same_bytes(tmp_path, spec, monkeypatch, moment):
    change, least = MOMENTS[moment]
    expected = whole(spec, tmp_path / "whole")
    out = tmp_path / "out"
    killed_in(lambda: aligned(spec, out), out, change)
    again = looked_at(monkeypatch)
    assert whole(spec, out) == expected
    assert len(again) <= IMAGES - least, "what was done is not done again"


def test_what_was_done_with_another_finder_or_at_another_side_is_not_believed(tmp_path, spec):
    known, out = tmp_path / "net.onnx", tmp_path / "out"
    known.write_text("one")
    killed_in(lambda: aligned(spec, out, (known,)), out, at_line(4, 1.0))
    known.write_text("another")
    with pytest.MonkeyPatch.context() as patch:
        files = looked_at(patch)
        result = whole(spec, out, known=(known,))
        assert len(files) == IMAGES
    assert result == whole(spec, tmp_path / "whole", known=(known,))
    killed_in(lambda: aligned(spec, out, (known,)), out, at_line(4, 1.0))
    assert whole(spec, out, known=(known,), side=28) == whole(spec, tmp_path / "small", side=28)


def test_the_order_in_an_archive_does_not_show(tmp_path, spec):
    files = sorted((spec.source / "files").iterdir())
    other = celeba(tmp_path / "other", {path.name: path.read_bytes() for path in files})
    assert whole(other, tmp_path / "sorted") == whole(spec, tmp_path / "reversed")


def test_two_processes_do_not_align_into_one_folder(tmp_path, spec):
    out = tmp_path / "out"
    out.mkdir()
    other = filling.packing(out, 3, SIDE, "somebody's", module.Face)
    words = r"out: another process packs .*; wait for it, or end"
    with other, pytest.raises(UserError, match=words):
        aligned(spec, out)
