"""Decoding while reading: in order, and with a bounded number of files in memory."""

import pytest

from softbio.data.packing.pictures import BATCH, BATCH_BYTES, Picture, pictures


def job(content: bytes, size: int) -> Picture:
    return Picture(None, reason=f"{content[:9].decode()} at {size}")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(("length", "a_batch"), [(9, BATCH), (BATCH_BYTES // 4, 5)])
def test_in_order_and_a_bounded_number_at_a_time(workers, length, a_batch):
    read, most, given = [], 0, 0
    block = bytes(length - 9)

    def tasks():
        for row in range(12 * a_batch + 1):
            read.append(row)
            yield row, f"{row:09d}".encode() + block

    for row, picture in pictures(tasks(), job, 7, workers):
        most = max(most, len(read) - given)
        assert (row, picture.reason) == (given, f"{given:09d} at 7")
        given += 1
    assert given == len(read) == 12 * a_batch + 1
    assert most <= (2 * workers + 2) * a_batch


def test_an_error_of_the_archive_comes_through_and_ends_it():
    def tasks():
        yield 0, b"000000000"
        raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        list(pictures(tasks(), job, 7, 2))
