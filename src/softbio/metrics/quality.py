"""Image quality of a protected image compared with its original: PSNR and SSIM.

Throughout: images uint8 or float (..., H, W) grey or (..., H, W, 3), of one shape; `peak` is the
difference between white and black, 255 for uint8 and 1 for shares.
"""

import numpy as np

SIGMA, RADIUS = 1.5, 5
K1, K2 = 0.01, 0.03


def psnr(original: np.ndarray, other: np.ndarray, peak: float = 255) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; infinite for equal images."""
    difference = np.asarray(original, float) - np.asarray(other, float)
    error = np.square(difference).mean()
    return float(10 * np.log10(peak**2 / error)) if error else float("inf")


def _window() -> np.ndarray:
    """Weights of a Gaussian of SD 1.5 pixels cut at 11 pixels, (11,)."""
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    return weights / weights.sum()


def _smooth(image: np.ndarray) -> np.ndarray:
    """Weighted means of the 11 x 11 windows that lie inside, (H, W) -> (H - 10, W - 10)."""
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(image, 2 * RADIUS + 1, axis)
        image = windows @ _window()
    return image


def ssim(original: np.ndarray, other: np.ndarray, peak: float = 255) -> float:
    """Structural similarity of two images (H, W) or (H, W, C), at most 1.

    As published (Wang, Bovik, Sheikh, Simoncelli 2004): Gaussian windows of 11 x 11 pixels, SD 1.5,
    K1 = 0.01, K2 = 0.03, variances divided by n, mean over the windows that lie inside the image.
    Colour channels are judged one by one and averaged.

    Raises ValueError for different shapes and for a side of less than 11 pixels.
    """
    x, y = np.asarray(original, float), np.asarray(other, float)
    if x.shape != y.shape or min(x.shape[:2]) < 2 * RADIUS + 1:
        raise ValueError(f"needs two images of one shape, 11 pixels or more: {x.shape}, {y.shape}")
    if x.ndim == 3:
        return float(np.mean([ssim(x[..., c], y[..., c], peak) for c in range(x.shape[2])]))
    mean_x, mean_y = _smooth(x), _smooth(y)
    square, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances = _smooth(x * x) + _smooth(y * y) - square
    covariance = _smooth(x * y) - product
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    similar = (2 * product + c1) * (2 * covariance + c2)
    return float((similar / ((square + c1) * (variances + c2))).mean())
