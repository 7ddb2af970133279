"""From packed images to grey faces, and back."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

from softbio.data.packed import Packed
from softbio.privacy.parts import gender_of

# ITU-R BT.601, as Pillow's and torchvision's Grayscale
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class GreyFaces:
    """The faces of a packed data set as grey batches on a device."""

    packed: Packed
    device: torch.device

    @cached_property
    def _images(self) -> Tensor:
        return torch.from_numpy(self.packed.images)

    @cached_property
    def gender(self) -> Tensor:
        """int64 (N,) on the device, 1 male."""
        return torch.from_numpy(gender_of(self.packed)).to(self.device)

    @property
    def size(self) -> int:
        """Side in pixels."""
        return self.packed.images.shape[1]

    def batch(self, rows: Tensor) -> Tensor:
        """Float32 (B, 1, S, S) in 0..1 of rows int64 (B,) on the CPU."""
        return grey(moved(self._images[rows], self.device))


def moved(part: Tensor, device: torch.device) -> Tensor:
    """A part of what lies on the CPU, at the device; a GPU is not waited for, as it would be where
    the part is not in pinned memory."""
    if device.type == "cpu":
        return part
    return part.pin_memory().to(device, non_blocking=True)


def grey(images: Tensor) -> Tensor:
    """uint8 (B, S, S, 3) RGB -> float32 (B, 1, S, S) in 0..1."""
    return (images.float() @ _weights(images.device))[:, None]


@lru_cache(maxsize=8)
def _weights(device: torch.device) -> Tensor:
    """Those of the channels; made once, for a copy waits for a GPU."""
    # what is made in inference mode could later stand in no loss
    with torch.inference_mode(False):
        return torch.tensor(LUMA, device=device) / 255


def as_bytes(faces: Tensor) -> np.ndarray:
    """Grey faces float (B, 1, S, S) in 0..1 -> uint8 (B, S, S, 3), three equal channels: what
    evaluators of colour images are given."""
    whole = (faces.clamp(0, 1) * 255).round().to(torch.uint8)
    return whole.permute(0, 2, 3, 1).expand(-1, -1, -1, 3).contiguous().cpu().numpy()


def in_colour(faces: np.ndarray) -> np.ndarray:
    """uint8 (N, S, S) -> (N, S, S, 3), three equal channels: a view that cannot be written to, so
    that it takes no more memory than one of them."""
    return np.broadcast_to(faces[..., None], (*faces.shape, 3))


def psnr(mean_square: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error of values in 0..1."""
    return float(-10 * np.log10(max(mean_square, 1e-12)))
