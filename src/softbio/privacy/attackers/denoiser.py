"""A small residual network that takes protected faces back to clean ones, as an attacker who owns
the protection software can train it on pairs of his own."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.engine.device import choose_device
from softbio.privacy.attackers.transforms import Transform, on_bytes, to_tensor

WIDTH = 24
# passes over the pairs, in so many steps at least
EPOCHS, STEPS = 5, 300
BATCH = 8
RATE = 3e-3


class Denoiser(nn.Module):
    """Grey faces (B, 1, S, S) in 0..1, S even -> the same, cleaned.

    It works on blocks of 2 x 2 pixels as four channels, which is four times as fast and sees 14
    pixels each way. The last layer begins at 0: an untrained one changes nothing.
    """

    def __init__(self, width: int = WIDTH):
        super().__init__()
        last = nn.Conv2d(width, 4, 3, padding=1)
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
            last,
            nn.PixelShuffle(2),
        )
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, faces: Tensor) -> Tensor:
        return faces + self.layers(faces)


def fit_denoiser(
    protected: np.ndarray, clean: np.ndarray, seed: int, device: str = "cpu"
) -> Transform:
    """Train on pairs, uint8 (N, S, S) each, by squared error; equal for equal inputs and threads on
    one device. What it gives cleans faces there, and takes and returns them as bytes.

    Half of the pairs of a batch are mirrored. The rate falls to 0 along a cosine. Raises UserError
    for a device that is not there.
    """
    place = choose_device(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Denoiser().to(place)
    draws = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    batches = -(-len(protected) // BATCH)
    epochs = max(EPOCHS, -(-STEPS // batches))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    for _ in range(epochs):
        order = torch.randperm(len(protected), generator=draws)
        mirrored = torch.rand(len(protected), generator=draws) < 0.5
        for rows, turn in zip(order.split(BATCH), mirrored.split(BATCH), strict=True):
            # as floats all faces would take four times their memory
            parts = (to_tensor(faces[rows.numpy()]) for faces in (protected, clean))
            x, y = (_mirrored(part, turn).to(place) for part in parts)
            optimizer.zero_grad(set_to_none=True)
            F.mse_loss(network(x), y).backward()
            optimizer.step()
            schedule.step()
    network.eval()
    return lambda faces: on_bytes(lambda part: network(part.to(place)).cpu(), faces)


def _mirrored(faces: Tensor, turn: Tensor) -> Tensor:
    return torch.where(turn[:, None, None, None], faces.flip(3), faces)
