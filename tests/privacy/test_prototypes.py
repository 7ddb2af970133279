"""Means, warps and the four parts."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.errors import UserError
from softbio.privacy.morphing import choose_mates, mix
from softbio.privacy.parts import PARTS, check_parts, four_parts, gender_of, read_parts, write_parts
from softbio.privacy.prototype_source import PrototypeSource, modes_of, prototype_source
from softbio.privacy.prototypes import (
    Prototypes,
    mean_faces,
    read_prototypes,
    warp_to,
    write_pairs,
)
from softbio.privacy.warp import landmarks_px, maps, warped, with_border
from tests.privacy.conftest import SIZE
from tests.privacy.judged import DAMAGES

CPU = torch.device("cpu")


@pytest.mark.parametrize("row", [None, np.zeros(134), np.full(136, np.nan)])
def test_a_face_without_all_landmarks_is_told(row):
    assert landmarks_px(np.full(136, 0.25), 64).tolist() == [[16, 16]] * 68
    with pytest.raises(UserError, match="no 68 landmarks"):
        landmarks_px(row, 64)


def test_prototypes_are_means(drawn):
    found = read_prototypes(drawn.path("prototypes.npz"))
    gender = drawn.packed.index["gender"].to_numpy()
    for place, name in enumerate(("female", "male")):
        rows = np.flatnonzero((drawn.parts == "san") & (gender == name))
        expected = np.asarray(drawn.packed.images[rows], np.float64).mean(0) / 255
        np.testing.assert_allclose(found.means[place], expected, atol=1e-7)
        points = np.stack(drawn.packed.index["landmarks"].iloc[rows].to_list()).astype(np.float64)
        np.testing.assert_allclose(
            found.landmarks[place], points.mean(0).reshape(68, 2) * SIZE, atol=1e-5
        )
    assert found.shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_prototypes_are_told(drawn, tmp_path, damage):
    path = tmp_path / "prototypes.npz"
    path.write_bytes(damage(drawn.path("prototypes.npz").read_bytes()))
    with pytest.raises(UserError, match="not prototypes"):
        read_prototypes(path)


def test_prototypes_of_one_gender_are_refused(drawn):
    rows = np.flatnonzero(gender_of(drawn.packed) == 1)
    with pytest.raises(UserError, match="one gender only"):
        mean_faces(drawn.packed, rows, np.ones(len(rows), int))


def test_modes_by_the_talks_formulas():
    pair = torch.rand(2, 2, 3, 4, 4)
    female, male = pair[:, 0], pair[:, 1]
    for y in (0, 1):
        found = modes_of(pair, torch.tensor([y, y]), (0.25, 0.75))
        torch.testing.assert_close(found.sm, y * male + (1 - y) * female)
        torch.testing.assert_close(found.op, (1 - y) * male + y * female)
        torch.testing.assert_close(found.nt, 0.25 * female + 0.75 * male)


def test_global_source_gives_every_face_the_means(drawn):
    prototypes = read_prototypes(drawn.path("prototypes.npz"))
    source = prototype_source(prototypes, None, "mean", CPU)
    modes = source.modes(torch.tensor([3, 8]), torch.tensor([0, 1]))
    means = torch.from_numpy(prototypes.means).permute(0, 3, 1, 2)
    torch.testing.assert_close(modes.sm, means)
    torch.testing.assert_close(modes.op, means.flip(0))
    torch.testing.assert_close(modes.nt, means.mean(0, keepdim=True).expand(2, -1, -1, -1))
    shares = prototype_source(prototypes, None, "shares", CPU).weights
    assert shares == pytest.approx(tuple(prototypes.shares))


@pytest.mark.parametrize("groups", [None, 3])
def test_what_many_faces_share_is_brought_to_the_device_once(monkeypatch, groups):
    """Each copy to a GPU waits until it has done all that it was given."""
    group = None if groups is None else torch.tensor([0, 2, -1, 1])
    pairs = torch.rand((groups or 0) + 1, 2, 4, 4, 3)
    source, moves, to = PrototypeSource(pairs, (0.5, 0.5), CPU, group), [], torch.Tensor.to

    def watched(tensor, *arguments, **options):
        moves.append(tensor is pairs)
        return to(tensor, *arguments, **options)

    monkeypatch.setattr(torch.Tensor, "to", watched)
    gender = torch.ones(4, dtype=torch.int64)
    for _ in range(3):
        modes = source.modes(torch.arange(4), gender)
    assert sum(moves) == 1
    chosen = pairs[[0] * 4 if groups is None else [0, 2, 3, 1]].permute(0, 1, 4, 2, 3)
    torch.testing.assert_close(modes.sm, chosen[:, 1], rtol=0, atol=0)


def test_warped_source_is_the_warp_of_each_face(drawn):
    prototypes = read_prototypes(drawn.path("prototypes.npz"))
    source = prototype_source(prototypes, drawn.path("warped.npy"), "mean", CPU)
    row = 5
    points = landmarks_px(drawn.packed.index["landmarks"].iloc[row], SIZE)
    expected = torch.from_numpy(warp_to(prototypes, points)).permute(0, 3, 1, 2)
    modes = source.modes(torch.tensor([row]), torch.tensor([1]))
    torch.testing.assert_close(modes.sm[0], expected[1], rtol=0, atol=0.51 / 255)
    torch.testing.assert_close(modes.op[0], expected[0], rtol=0, atol=0.51 / 255)


def test_a_disk_without_room_for_all_pairs_is_told_before_any_is_made(drawn, tmp_path, monkeypatch):
    need = 2 * drawn.packed.images.nbytes
    usage = shutil._ntuple_diskusage(need, 1, need - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr("softbio.privacy.prototypes.warp_to", lambda *_: pytest.fail("warped"))
    prototypes = read_prototypes(drawn.path("prototypes.npz"))
    with pytest.raises(UserError, match=f"disk full, {need:,} bytes are needed"):
        write_pairs(prototypes, drawn.packed, tmp_path / "warped.npy")
    assert not list(tmp_path.iterdir())


def shape_of(seed: int, size: int = 64, spread: float = 1.5) -> np.ndarray:
    """68 points on a jittered grid."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.linspace(8, size - 9, 9), np.linspace(8, size - 9, 8)), -1)
    return grid.reshape(-1, 2)[:68] + rng.uniform(-spread, spread, (68, 2))


def test_warped_prototypes_land_on_the_landmarks():
    """An image that holds its own coordinates shows, at each landmark, where it came from."""
    # landmarks of the face on pixels, where nothing is interpolated
    size, own, target = 64, shape_of(1), np.rint(shape_of(2))
    y, x = np.mgrid[:size, :size]
    image = np.stack([x / size, y / size, np.zeros_like(x)], -1).astype(np.float32)
    prototypes = Prototypes(np.stack([image] * 2), np.stack([own, own]), np.array([0.5, 0.5]))
    for found in warp_to(prototypes, target):
        there = found[target[:, 1].astype(int), target[:, 0].astype(int), :2] * size
        # OpenCV places samples to 1/32 of a pixel
        assert np.abs(there - own).max() < 1 / 32


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_maps_send_each_landmark_to_its_partner(one, other):
    size = 64
    source, target = (with_border(shape_of(seed), size) for seed in (one, other))
    places = maps(source, target, size)
    for at, expected in zip(target, source, strict=True):
        near = np.rint(at).astype(int)
        # the map is affine round a landmark; half a pixel off moves little more than that
        assert np.hypot(*(places[near[1], near[0]] - expected)) < 3
    assert places.min() > -0.01
    assert places.max() < size - 0.99


def test_a_shape_on_itself_is_the_identity():
    points = with_border(shape_of(3), 64)
    places = maps(points, points, 64)
    y, x = np.mgrid[:64, :64]
    np.testing.assert_allclose(places, np.stack([x, y], -1), atol=1e-3)
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert (warped(image, places) == image).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_mixing_blends_shapes_and_stays_between_the_textures(seed, alpha):
    rng = np.random.default_rng(seed)
    face, mate = rng.uniform(0.2, 0.8, (2, 64, 64)).astype(np.float32)
    own, other = shape_of(seed), shape_of(seed + 1)
    mixed = mix(face, own, mate, other, alpha)
    np.testing.assert_allclose(mixed.landmarks, alpha * own + (1 - alpha) * other)
    assert mixed.image.min() >= min(face.min(), mate.min()) - 1e-5
    assert mixed.image.max() <= max(face.max(), mate.max()) + 1e-5


def test_mixing_at_its_ends():
    rng = np.random.default_rng(1)
    face, mate = rng.uniform(0, 1, (2, 64, 64)).astype(np.float32)
    own, other = shape_of(1), shape_of(2)
    np.testing.assert_allclose(mix(face, own, mate, other, 1).image, face, atol=1e-3)
    np.testing.assert_allclose(mix(face, own, mate, other, 0).image, mate, atol=1e-3)
    with pytest.raises(UserError, match=r"alpha is 1.5"):
        mix(face, own, mate, other, 1.5)


def test_mates_are_of_the_opposite_gender_and_depend_on_seed_and_row_alone():
    gender = np.array([0, 1, 0, 1])
    candidates, theirs = np.arange(10, 30), np.arange(20) % 2
    rows = np.arange(4)
    mates = choose_mates(gender, candidates, theirs, rows, 7)
    assert (theirs[mates - 10] == 1 - gender).all()
    assert choose_mates(gender[2:3], candidates, theirs, rows[2:3], 7)[0] == mates[2]
    assert (choose_mates(gender, candidates, theirs, rows, 8) != mates).any()
    with pytest.raises(UserError, match="no candidate"):
        choose_mates(gender, candidates[::2], theirs[::2], rows, 7)


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 60), st.integers(0, 1000))
def test_parts_are_disjoint_repeatable_and_balanced(subjects, seed):
    rng = np.random.default_rng(seed)
    sex = np.arange(subjects) % 2
    counts = rng.integers(1, 4, subjects)
    names = np.repeat([f"s{number}" for number in range(subjects)], counts).astype(object)
    gender = np.repeat(sex, counts)
    parts = four_parts(names, gender)
    assert (parts == four_parts(names, gender)).all()
    frame = pd.DataFrame({"part": parts, "subject": names, "gender": gender})
    assert frame.groupby("subject")["part"].nunique().max() == 1
    for share, part in zip((0.4, 0.2, 0.2, 0.2), PARTS, strict=True):
        for own in (0, 1):
            wanted = share * (gender == own).sum()
            found = ((parts == part) & (gender == own)).sum()
            assert abs(found - wanted) <= 2 * 3


def test_bad_parts_are_told():
    subjects = np.array(list("aabbccdd"), object)
    gender = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    each = np.array(["san", "san", "evaluators", "evaluators", "attacker"] + ["test"] * 3, object)
    with pytest.raises(UserError, match="'c' in attacker and test"):
        check_parts(each, subjects, gender)
    each[5] = "attacker"
    with pytest.raises(UserError, match="part 'san' holds female faces only"):
        check_parts(each, subjects, gender)
    each[:2] = "test"
    with pytest.raises(UserError, match="part 'san' is empty: there are too few subjects for 4"):
        check_parts(each, subjects, gender)
    each[0] = "train"
    with pytest.raises(UserError, match="'train' is unknown"):
        check_parts(each, subjects, gender)
    with pytest.raises(UserError, match="sum to 1"):
        four_parts(subjects, gender, (0.5, 0.5, 0.5, 0.5))
    for count in range(1, 8):
        # of each gender there is one fewer than parts
        with pytest.raises(UserError, match=r"^parts: .* add (more|male|female)"):
            four_parts(np.arange(count).astype(object), np.arange(count) % 2)


def test_parts_file_must_name_every_image(drawn, tmp_path):
    frame = pd.read_csv(drawn.path("parts.csv"))
    assert list(frame.columns) == ["image", "subject", "part", "gender"]
    frame.iloc[1:].to_csv(tmp_path / "parts.csv", index=False)
    with pytest.raises(UserError, match="has no part"):
        read_parts(tmp_path / "parts.csv", drawn.packed)
    with pytest.raises(UserError, match="not a list"):
        read_parts(tmp_path / "absent.csv", drawn.packed)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.drop(columns="subject"), "not a list of images and parts"),
        (lambda frame: frame.assign(gender="female"), "gender of '.*' is not the data set's"),
        (lambda frame: frame.assign(subject="one"), "subject of '.*' is not the data set's"),
        (
            lambda frame: frame.assign(part=["test", *frame["part"][1:]]),
            "1 subjects are in two parts",
        ),
    ],
)
def test_a_parts_file_of_ones_own_is_checked_where_it_is_read(drawn, tmp_path, change, told):
    frame = pd.read_csv(drawn.path("parts.csv")).sort_values("part", kind="stable")
    path = tmp_path / "parts.csv"
    assert frame["part"].iloc[0] != "test"
    change(frame).to_csv(path, index=False)
    with pytest.raises(UserError, match=f"{path}: .*{told}"):
        read_parts(path, drawn.packed)


def test_somebody_called_na_has_a_part(drawn, tmp_path):
    subjects = drawn.packed.subjects.copy()
    subjects[subjects == subjects[0]] = "NA"
    packed = replace(drawn.packed, index=drawn.packed.index.assign(subject=subjects))
    write_parts(packed, tmp_path / "parts.csv")
    assert set(read_parts(tmp_path / "parts.csv", packed)) == set(PARTS)
