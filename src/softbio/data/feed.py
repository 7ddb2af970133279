"""From packed images to batches on the device: resident in its memory, or streamed to it."""

import logging
import queue
import threading
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from softbio.data.augment import Crops, crop_batch, scaled

logger = logging.getLogger(__name__)
# how much of a GPU's free memory the images may take; the rest is for the network
SHARE_FOR_IMAGES = 0.5
# batches on their way to the device: one being cropped, one being copied, one in use
AHEAD = 3


class Feed(Protocol):
    """Batches of crops, float32 (B, 3, crop, crop) in 0..1 and channels_last, on the device."""

    def batches(self, crops: Crops, crop: int, batch: int) -> Iterator[Tensor]: ...


class Resident:
    """All images are on the device; a batch is a gather there."""

    def __init__(self, images: np.ndarray, device: torch.device):
        self.images = torch.from_numpy(images).to(device)

    def batches(self, crops: Crops, crop: int, batch: int) -> Iterator[Tensor]:
        """See `Feed`."""
        device = self.images.device
        rows, (top, left) = crops.rows.to(device), crops.offsets.to(device)
        for start in range(0, len(rows), batch):
            part = slice(start, start + batch)
            yield scaled(crop_batch(self.images, rows[part], top[part], left[part], crop))


class Streamed:
    """The images stay in their memory map. A thread crops the batches ahead into pinned memory;
    they are copied during the computation, as bytes, and become floats on the device."""

    def __init__(self, images: np.ndarray, device: torch.device):
        self.images = torch.from_numpy(images)
        self.device = device
        self.on_gpu = device.type != "cpu"

    def batches(self, crops: Crops, crop: int, batch: int) -> Iterator[Tensor]:
        """See `Feed`."""
        ready: queue.Queue = queue.Queue(AHEAD)
        gone = threading.Event()
        arguments = (crops, crop, batch, ready, gone)
        thread = threading.Thread(target=self._crop_ahead, args=arguments, daemon=True)
        thread.start()
        stream = torch.cuda.Stream(self.device) if self.on_gpu else None
        try:
            while (part := ready.get()) is not None:
                if isinstance(part, BaseException):
                    raise part
                yield scaled(self._moved(part, stream))
        finally:
            gone.set()
            while not ready.empty():
                ready.get_nowait()
            thread.join()

    def _crop_ahead(self, crops: Crops, crop: int, batch: int, ready: queue.Queue, gone) -> None:
        """Fill the queue; None ends it, and an error is handed on."""
        try:
            for start in range(0, len(crops.rows), batch):
                part = slice(start, start + batch)
                top, left = crops.offsets[:, part]
                cut = crop_batch(self.images, crops.rows[part], top, left, crop)
                _put(ready, cut.pin_memory() if self.on_gpu else cut, gone)
            _put(ready, None, gone)
        except BaseException as error:
            _put(ready, error, gone)

    def _moved(self, part: Tensor, stream) -> Tensor:
        """On the device; the copy runs on a stream of its own, which the computation waits for."""
        if stream is None:
            return part.to(self.device)
        with torch.cuda.stream(stream):
            moved = part.to(self.device, non_blocking=True)
        here = torch.cuda.current_stream(self.device)
        here.wait_stream(stream)
        # its memory must not be reused before the computation has read it
        moved.record_stream(here)
        return moved


def _put(ready: queue.Queue, part: Tensor | BaseException | None, gone: threading.Event) -> None:
    """Put, unless the reader has gone away."""
    while not gone.is_set():
        try:
            return ready.put(part, timeout=0.1)
        except queue.Full:
            continue


def make_feed(images: np.ndarray, device: torch.device) -> Feed:
    """Resident where the images fit: on a CPU always (a memory map needs no copy), on a GPU within
    `SHARE_FOR_IMAGES` of its free memory; streamed where they do not."""
    if device.type != "cpu":
        free, _ = torch.cuda.mem_get_info(device)
        if images.nbytes > SHARE_FOR_IMAGES * free:
            logger.info(
                "images of %.1f GB are streamed: %.1f GB of GPU memory are free",
                *(images.nbytes / 1e9, free / 1e9),
            )
            return Streamed(images, device)
    return Resident(images, device)
