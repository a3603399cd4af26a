"""MNIST as tensors, and the light augmentation both LeNet-5 trainings use.

Reads the four gzip-compressed IDX files of the original distribution. Pixels
are scaled to [0, 1] and normalised with the training set's mean and standard
deviation; the encrypted pipeline must apply the same normalisation.
"""

import gzip
import struct
from pathlib import Path

import torch
import torch.nn.functional as F

MEAN, STD = 0.1307, 0.3081
PADDING = -MEAN / STD  # a black pixel after normalisation


def read_idx(path: Path) -> torch.Tensor:
    """The unsigned bytes of one gzip-compressed IDX file, in its own shape."""
    raw = gzip.decompress(path.read_bytes())
    zero, kind, rank = struct.unpack(">HBB", raw[:4])
    if zero != 0 or kind != 0x08:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes")
    shape = struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank])
    values = torch.frombuffer(bytearray(raw[4 + 4 * rank :]), dtype=torch.uint8)
    return values.reshape(shape)


def load(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(images [n, 1, 28, 28] normalised, labels [n]); part is "train" or "t10k"."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz").unsqueeze(1)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")
    return (images.float() / 255 - MEAN) / STD, labels.long()


def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image rotated (12 degrees), scaled (10 %), sheared (0.15), moved (2 px) at random."""
    count = images.shape[0]

    def uniform(limit: float) -> torch.Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * limit

    angle, shear, zoom = uniform(0.21), uniform(0.15), 1 + uniform(0.10)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    affine = torch.stack(
        [
            torch.stack([cos, shear * cos - sin, uniform(2 / 14)], dim=1),
            torch.stack([sin, shear * sin + cos, uniform(2 / 14)], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    # grid_sample pads with zeros: shift black to zero and back.
    return F.grid_sample(images - PADDING, grid, align_corners=False) + PADDING


def batches(images, labels, size, generator):
    """One epoch of shuffled, augmented mini-batches."""
    for chosen in torch.randperm(len(labels), generator=generator).split(size):
        yield augment(images[chosen], generator), labels[chosen]


@torch.no_grad()
def accuracy(model, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of right answers, in per cent."""
    model.eval()
    right = sum(
        (model(x).argmax(1) == y).sum().item()
        for x, y in zip(images.split(1000), labels.split(1000))
    )
    return 100 * right / len(labels)
