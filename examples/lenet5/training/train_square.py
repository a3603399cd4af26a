"""Trains the batch network: square activations only, an image is a slot.

One ciphertext holds one pixel of thousands of images, so that a weight is a
scalar and costs one multiply-accumulate for every position that uses it. Five
levels: convolution, square, linear, square, linear. A square has no limit, so
that values outside LIMIT cost their excess squared during training. On export
the batch normalisation that makes training stable is folded into the weights,
and the layers are scaled to one peak, which leaves every decision as it was.

    python3 train_square.py --data FOLDER [--out ../models/lenet5-square.onnx]
"""

import argparse
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from export import export, largest
from mnist import accuracy, batches, load

LIMIT = 4.0  # of what is squared, so that squares stay below about 25
LOGIT_LIMIT = 20.0
PEAKS = 5.0, 5.0, 25.0  # what the export scales the peaks to: squares up to 25, logits up to 25


class SquareNet(nn.Module):
    """conv CHANNELS@KERNELxKERNEL stride STRIDE, square, linear HIDDEN, square, linear 10."""

    def __init__(self, channels=8, kernel=7, stride=3, hidden=64, normalised=True):
        super().__init__()
        positions = ((28 - kernel) // stride + 1) ** 2
        self.shape = {"channels": channels, "kernel": kernel, "stride": stride, "hidden": hidden}
        self.conv = nn.Conv2d(1, channels, kernel, stride)
        self.norm1 = nn.BatchNorm2d(channels) if normalised else nn.Identity()
        self.f1 = nn.Linear(channels * positions, hidden)
        self.norm2 = nn.BatchNorm1d(hidden) if normalised else nn.Identity()
        self.f2 = nn.Linear(hidden, 10)

    def trace(self, image):
        """What enters each square, and the logits last."""
        a = self.norm1(self.conv(image))
        b = self.norm2(self.f1((a * a).flatten(1)))
        return [a, b, self.f2(b * b)]

    def forward(self, image):
        return self.trace(image)[-1]

    def cost(self):
        """Multiply-accumulates and squares for one batch, whatever its size."""
        outputs = self.f1.in_features
        weights = self.conv.kernel_size[0] ** 2
        macs = outputs * weights + self.f1.weight.numel() + self.f2.weight.numel()
        return macs, outputs + self.f1.out_features


@torch.no_grad()
def folded(model: SquareNet) -> SquareNet:
    """The same function without batch normalisation."""
    plain = SquareNet(**model.shape, normalised=False)
    for name, norm in (("conv", model.norm1), ("f1", model.norm2)):
        old, new = getattr(model, name), getattr(plain, name)
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        new.weight.copy_(old.weight * gain.view(-1, *[1] * (old.weight.dim() - 1)))
        new.bias.copy_((old.bias - norm.running_mean) * gain + norm.bias)
    plain.f2.load_state_dict(model.f2.state_dict())
    return plain


@torch.no_grad()
def scaled(model: SquareNet, images: torch.Tensor) -> SquareNet:
    """The same decisions with every layer scaled so that its peak on the images is PEAKS."""
    conv, f1, logits = (want / peak for want, peak in zip(PEAKS, largest(model.trace, images)))
    for layer, inner, outer in ((model.conv, 1, conv), (model.f1, conv**2, f1), (model.f2, f1**2, logits)):
        layer.weight.mul_(outer / inner)
        layer.bias.mul_(outer)
    return model


def excess(values: torch.Tensor, limit: float) -> torch.Tensor:
    """Squared excess over the limit, summed over an image (so that single outliers count)."""
    return (values.abs() - limit).relu().square().flatten(1).sum(1).mean()


def train(model, images, labels, options, on_epoch):
    generator = torch.Generator().manual_seed(options.seed)
    steps = options.epochs * math.ceil(len(labels) / options.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=steps, pct_start=0.2)
    for epoch in range(options.epochs):
        model.train()
        losses = []
        for x, y in batches(images, labels, options.batch, generator):
            *squared, logits = model.trace(x)
            loss = F.cross_entropy(logits, y)
            loss = loss + sum(excess(v, LIMIT) for v in squared) + 0.3 * excess(logits, LOGIT_LIMIT)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        on_epoch(epoch, sum(losses) / len(losses))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's four IDX files, gzip")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "../models/lenet5-square.onnx")
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--kernel", type=int, default=7)
    parser.add_argument("--stride", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    model = SquareNet(options.channels, options.kernel, options.stride, options.hidden)
    images, labels = load(options.data, "train")
    unseen = load(options.data, "t10k")

    def report(epoch, loss):
        print(f"epoch {epoch + 1}/{options.epochs}: loss {loss:.4f}, test {accuracy(model, *unseen):.2f} %", flush=True)

    train(model, images, labels, options, report)
    plain = scaled(folded(model.eval()), images)
    macs, squares = plain.cost()
    print(f"exported: test {accuracy(plain, *unseen):.2f} %; {macs} multiply-accumulates, {squares} squares")
    for name, part in (("training", images), ("test", unseen[0])):
        peaks = largest(plain.trace, part)
        print(f"largest |value| on the {name} set, conv f1 logits:", [round(p, 2) for p in peaks])
    export(plain, options.out)


if __name__ == "__main__":
    main()
