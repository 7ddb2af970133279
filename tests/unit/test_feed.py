"""Batches that lie on the device and batches streamed to it are the same batches."""

import threading

import numpy as np
import pytest
import torch

from softbio.data.augment import Crops, random_offsets
from softbio.data.feed import Resident, Streamed, make_feed

CPU = torch.device("cpu")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU on this machine"))]  # fmt: skip


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (50, 20, 20, 3), np.uint8)


def crops_of(count: int) -> Crops:
    generator = torch.Generator().manual_seed(count)
    rows = torch.randint(50, (count,), generator=generator)
    return Crops(rows, random_offsets(count, 20, 16, generator))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("count", "batch"), [(23, 8), (24, 8), (3, 8), (200, 1)])
def test_streamed_batches_equal_resident_ones(images, device, count, batch):
    crops, place = crops_of(count), torch.device(device)
    resident = list(Resident(images, place).batches(crops, 16, batch))
    streamed = list(Streamed(images, place).batches(crops, 16, batch))
    assert [len(part) for part in resident] == [len(part) for part in streamed]
    assert torch.equal(torch.cat(resident), torch.cat(streamed))
    assert streamed[0].is_contiguous(memory_format=torch.channels_last)


def test_rest_of_an_epoch_is_its_end(images):
    crops, feed = crops_of(30), Resident(images, CPU)
    whole = torch.cat(list(feed.batches(crops, 16, 8)))
    rest = torch.cat(list(feed.batches(crops.after(16), 16, 8)))
    assert torch.equal(whole[16:], rest)


def test_a_reader_that_leaves_takes_the_thread_with_it(images):
    before = threading.active_count()
    batches = Streamed(images, CPU).batches(crops_of(200), 16, 1)
    next(batches)
    assert threading.active_count() == before + 1
    batches.close()
    assert threading.active_count() == before


def test_an_error_in_the_thread_reaches_the_reader(images):
    crops = Crops(torch.tensor([0, 1, 99]), torch.zeros((2, 3), dtype=torch.int64))
    with pytest.raises(IndexError):
        list(Streamed(images, CPU).batches(crops, 16, 1))


def test_what_does_not_fit_a_gpu_is_streamed(images, monkeypatch, caplog):
    kinds = []
    monkeypatch.setattr(Resident, "__init__", lambda *_: kinds.append("resident"))
    for free in (images.nbytes, 4 * images.nbytes):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 2 * free))
        kinds.append(type(make_feed(images, torch.device("cuda"))).__name__)
    assert kinds == ["Streamed", "resident", "Resident"]
