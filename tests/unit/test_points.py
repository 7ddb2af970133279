"""Faces are looked for in all images of an archive; the lists are held against what is found."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from softbio.data.alignment.crops import CROPS
from softbio.data.alignment.points import find_points, read_points
from softbio.data.alignment.template import NO_FACE, five_of
from softbio.data.faces import draw_population, render
from softbio.data.packed import load_packed
from softbio.data.packing.pictures import decode
from softbio.data.prepare import prepare
from softbio.data.registry import DatasetSpec, load_registry
from softbio.errors import UserError
from softbio.evaluators.finders import detector
from softbio.evaluators.registry import REGISTRY, load_evaluators
from softbio.job import job
from tests import miniatures
from tests.conftest import ROOT

SIZE = 40
Finder = Callable[[np.ndarray], np.ndarray | None]


@lru_cache
def scene(seed: int, corner: tuple[int, int], side: int) -> tuple[bytes, np.ndarray]:
    """A drawn face in 200 x 240 px, as JPEG, and its five points."""
    pixels, landmarks = render(draw_population(3, 1, (18, 60), seed)[1][0], side)
    image = Image.new("RGB", (200, 240), (90, 90, 120))
    image.paste(Image.fromarray(pixels), corner)
    return miniatures.jpeg(image), five_of(landmarks) + corner


def archive(name: str, folder: Path, encoding: str = "utf-8") -> tuple[dict[str, bytes], Finder]:
    """A miniature whose images are scenes; the last listed one, and one of two on no list, show
    nothing. The images, and a finder that knows the points. encoding: of the names."""
    images = getattr(miniatures, name)(folder)
    names = [*images, "99_Nobódy_0001.jpg", "98_Nobody_0002.jpg"]
    known = {}
    for number, file in enumerate(names):
        content, five = scene(number, (10 + 3 * number, 20 + number), 150 + 5 * number)
        if file in (list(images)[-1], names[-1]):
            content = miniatures.jpeg(Image.new("RGB", (200, 240), (number, 90, 90)))
            five = None
        images[file] = content
        known[decode(content).tobytes()] = five
    (folder / "out").mkdir()
    files = {f"set/{file}": content for file, content in images.items()}
    packed = miniatures.tarball(files, encoding)
    (folder / "out/images.tar.gz").write_bytes(gzip.compress(packed))
    for path in folder.glob("*.csv"):
        path.rename(folder / "out" / path.name)
    return images, lambda image: known[image.tobytes()]


def stored(image: str, encoding: str) -> str:
    """The name of an image in the archive as Python tells it."""
    return f"set/{image}".encode(encoding).decode(errors="surrogateescape")


def entry(name: str, folder: Path, **changes) -> DatasetSpec:
    spec = miniatures.spec(name, folder / "out/images.tar.gz")
    changes = {"max_rejected": 0.5, **changes}
    return replace(spec, prepare=replace(spec.prepare, **changes))


@pytest.mark.parametrize(
    ("name", "align", "encoding"),
    [("morph2", "eyes", "utf-8"), ("cacd", "box", "utf-8"), ("cacd", "box", "latin-1")],
)
def test_from_an_archive_to_the_published_crop(tmp_path, name, align, encoding):
    images, find = archive(name, tmp_path / name, encoding)
    spec = entry(name, tmp_path / name)
    assert spec.prepare.align == align, "as published, unless told otherwise"
    points = tmp_path / "points.parquet"
    find_points(spec, points, tmp_path / "raw", find)
    prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw", points=points)
    packed = load_packed(tmp_path / "packed")
    *kept, lost = list(images)[:-2]
    assert sorted(packed.index["image"]) == sorted(kept)
    found = read_points(points)
    cut = CROPS[align].fit(found)
    for pixels, image in zip(packed.images, packed.index["image"], strict=True):
        wanted = Image.fromarray(cut(decode(images[image]), found.of(stored(image, encoding))))
        assert (pixels == np.asarray(wanted.resize((SIZE, SIZE), Image.Resampling.BILINEAR))).all()
    rejected = pd.read_csv(tmp_path / "packed/rejected.csv")
    assert rejected[["image", "reason"]].to_numpy().tolist() == [[lost, NO_FACE]]
    card = json.loads((tmp_path / "packed/card.json").read_text())
    assert card["rejected"] == 1
    assert card["reconciled"] == {
        "listed": len(kept) + 1, "produced": len(kept), "unlisted": 2, "unlisted_produced": 1,
    }  # fmt: skip
    assert card["preparation"][0].startswith(CROPS[align].title)
    assert card["cut"] == packed.cut == align
    assert len(card["preparation"]) > 3, "it says how it differs from the published one"


def test_an_error_about_a_name_that_is_no_text_is_one_line(tmp_path):
    images, find = archive("cacd", tmp_path / "cacd", "latin-1")
    spec, points = entry("cacd", tmp_path / "cacd"), tmp_path / "points.parquet"
    find_points(spec, points, tmp_path / "raw", find)
    more = {f"set/{name}": content for name, content in images.items()}
    more["set/50_Élan_0001.jpg"] = images[next(iter(images))]
    spec.source.write_bytes(gzip.compress(miniatures.tarball(more, "latin-1")))
    log = tmp_path / "log"
    with pytest.raises(SystemExit), job(log):
        prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw", points=points)
    assert r"'set/50_\udcc9lan_0001.jpg' is not in it; delete it" in log.read_text()


def test_every_run_gives_the_same_bytes(tmp_path):
    _, find = archive("cacd", tmp_path / "cacd")
    spec = entry("cacd", tmp_path / "cacd")
    for run in ("one", "two"):
        points = tmp_path / run / "points.parquet"
        find_points(spec, points, tmp_path / "raw", find)
        prepare(spec, SIZE, tmp_path / run, tmp_path / "raw", 1 + (run == "two"), points)
    for file in ("points.parquet", "images.npy", "index.parquet", "rejected.csv", "card.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_without_alignment_the_lists_are_held_against_the_names_alone(tmp_path):
    miniatures.utkface(tmp_path / "utk")
    spec = miniatures.spec("utkface", tmp_path / "utk")
    prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw")
    card = json.loads((tmp_path / "packed/card.json").read_text())
    assert card["reconciled"] == {
        "listed": 5, "produced": 5, "unlisted": 2, "unlisted_produced": None,
    }  # fmt: skip


def test_afad_and_utkface_are_packed_as_they_are():
    registry = load_registry(ROOT / "config/datasets.yaml")
    assert {registry[name].prepare.align for name in ("afad", "utkface")} == {"none"}


def test_too_many_without_a_face_are_an_error_that_says_what_to_do(tmp_path):
    _, find = archive("morph2", tmp_path / "morph2")
    spec = entry("morph2", tmp_path / "morph2", max_rejected=0.1)
    find_points(spec, tmp_path / "points.parquet", tmp_path / "raw", find)
    message = r"1 of 6 images do not decode or show no face.*\(no face found\): more than 10.0%.*"
    with pytest.raises(UserError, match=message + "raise datasets.morph2.prepare.max_rejected"):
        prepare(spec, SIZE, tmp_path / "p", tmp_path / "raw", points=tmp_path / "points.parquet")


def test_what_nobody_looked_for_is_explained(tmp_path):
    images, find = archive("cacd", tmp_path / "cacd")
    spec = entry("cacd", tmp_path / "cacd")
    with pytest.raises(UserError, match=r"'cacd' is aligned by its faces, .*by `snakemake`"):
        prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw")
    points = tmp_path / "points.parquet"
    with pytest.raises(UserError, match=r"points.parquet: no points of faces"):
        prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw", points=points)
    points.write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"points.parquet: no points of faces"):
        read_points(points)
    find_points(spec, points, tmp_path / "raw", find)
    more = {f"set/{name}": content for name, content in images.items()}
    more["set/50_Another_0001.jpg"] = images[next(iter(images))]
    spec.source.write_bytes(gzip.compress(miniatures.tarball(more)))
    with pytest.raises(UserError, match=r"points.parquet: not made from .*50_Another_0001"):
        prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw", points=points)


def test_drawn_faces_are_not_aligned(tmp_path):
    changes = {"faces": {"options": {"subjects": 5}, "prepare": {"align": "eyes"}}}
    spec = load_registry(ROOT / "config/datasets.yaml", changes)["faces"]
    with pytest.raises(UserError, match=r"datasets.faces.prepare.align: drawn faces need none"):
        prepare(spec, SIZE, tmp_path / "packed", tmp_path / "raw")


def test_an_unknown_crop_and_a_detector_that_was_not_fetched(tmp_path):
    with pytest.raises(UserError, match=r"datasets.*prepare.align"):
        load_registry(ROOT / "config/datasets.yaml", {"cacd": {"prepare": {"align": "nose"}}})
    with pytest.raises(UserError, match=r"no face detector, .*snakemake --cores 1 evaluators"):
        detector(load_evaluators(REGISTRY), tmp_path)


def test_a_damaged_image_has_a_reason_and_no_points(tmp_path):
    images, find = archive("morph2", tmp_path / "morph2")
    files = {f"set/{name}": content for name, content in images.items()}
    files |= {"set/damaged.jpg": b"no image", "set/list.txt": b"no image by its name"}
    spec = entry("morph2", tmp_path / "morph2")
    spec.source.write_bytes(gzip.compress(miniatures.tarball(files)))
    find_points(spec, tmp_path / "points.parquet", tmp_path / "raw", find)
    points = read_points(tmp_path / "points.parquet")
    assert list(points.rows) == [name for name in files if name.endswith(".jpg")]
    assert points.of("set/damaged.jpg") == "is no image of a kind that is read"
    assert points.sizes[points.rows["set/damaged.jpg"]].tolist() == [0, 0]
    first = next(iter(images))
    assert np.abs(points.of(f"set/{first}") - find(decode(images[first]))).max() <= 0.006
