"""What undoes texture: the cheap transforms of an attacker, grey faces in and grey faces out.

All take and give uint8 (N, S, S), which is what a file of images holds.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from softbio.privacy.protectors.blur import blurred

Transform = Callable[[np.ndarray], np.ndarray]
SIGMA = 1.0
CHUNK = 256


def to_tensor(faces: np.ndarray) -> Tensor:
    """uint8 (N, S, S) -> float32 (N, 1, S, S) in 0..1."""
    return torch.from_numpy(np.array(faces, np.float32))[:, None] / 255


def to_bytes(faces: Tensor) -> np.ndarray:
    """Float (N, 1, S, S) -> uint8 (N, S, S), rounded and clipped to 0..1."""
    return (faces[:, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def on_bytes(transform: Callable[[Tensor], Tensor], faces: np.ndarray) -> np.ndarray:
    """A function of float32 (n, 1, S, S) in 0..1 applied to uint8 (N, S, S), part by part."""
    with torch.inference_mode():
        parts = [faces[start : start + CHUNK] for start in range(0, len(faces), CHUNK)]
        return np.concatenate([to_bytes(transform(to_tensor(part))) for part in parts])


def median(faces: Tensor) -> Tensor:
    """The median of 3 x 3 pixels, borders repeated; float (N, 1, S, S)."""
    padded = F.pad(faces, [1] * 4, mode="replicate")
    windows = padded.unfold(2, 3, 1).unfold(3, 3, 1)
    return windows.flatten(4).median(4).values


def down_and_up(faces: Tensor) -> Tensor:
    """Half the side by averaging areas, and back by bilinear interpolation; float (N, 1, S, S)."""
    size = faces.shape[-1]
    half = F.interpolate(faces, size=size // 2, mode="area")
    return F.interpolate(half, size=size, mode="bilinear", align_corners=False)


def jpeg(faces: np.ndarray, quality: int) -> np.ndarray:
    """Saved as a grey JPEG of a quality in 1..100 and opened again; uint8 (N, S, S)."""
    import simplejpeg

    def once(face: np.ndarray) -> np.ndarray:
        written = simplejpeg.encode_jpeg(
            np.ascontiguousarray(face)[..., None], quality, colorspace="GRAY"
        )
        return simplejpeg.decode_jpeg(written, colorspace="GRAY")[..., 0]

    return np.stack([once(face) for face in faces])


def _blur(faces: np.ndarray) -> np.ndarray:
    return on_bytes(lambda x: blurred(x, SIGMA), faces)


def _median(faces: np.ndarray) -> np.ndarray:
    return on_bytes(median, faces)


def _down_and_up(faces: np.ndarray) -> np.ndarray:
    return on_bytes(down_and_up, faces)


def _jpeg50(faces: np.ndarray) -> np.ndarray:
    return jpeg(faces, 50)


def _jpeg75(faces: np.ndarray) -> np.ndarray:
    return jpeg(faces, 75)


# name, and as it is printed behind "after"
TRANSFORMS: dict[str, tuple[str, Transform]] = {
    "blur": ("blur", _blur),
    "median": ("median filter", _median),
    "jpeg50": ("JPEG 50", _jpeg50),
    "jpeg75": ("JPEG 75", _jpeg75),
    "downup2": ("halving and doubling", _down_and_up),
}
