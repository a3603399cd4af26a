"""Trains the ReLU LeNet-5 of the latency example.

Encrypted, every ReLU is a polynomial on a fixed range, so that the network is
trained to be kind to one. Beside the cross entropy there are two terms: values
outside a layer's range cost their excess squared, and from the second phase on
the logits of the same network with polynomial ReLUs should equal its own. The
exported network is a plain ReLU network; polynomial and ranges are not part of
it, and are found again by calibration.

    python3 train_relu.py --data FOLDER [--out ../models/lenet5-relu.onnx]
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from export import export, largest
from mnist import accuracy, batches, load

RANGE = 8.0  # every layer's; a ReLU network may be scaled freely, so one number does
KEEP = 0.85 * RANGE  # where the penalty starts: leaves room for a calibration margin


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.c2 = nn.Conv2d(6, 16, 5)
        self.f1 = nn.Linear(256, 120)
        self.f2 = nn.Linear(120, 84)
        self.f3 = nn.Linear(84, 10)

    def trace(self, image, activations):
        """The four pre-activations, and the logits last."""
        a = self.c1(image)
        b = self.c2(F.avg_pool2d(activations[0](a), 2))
        c = self.f1(F.avg_pool2d(activations[1](b), 2).flatten(1))
        d = self.f2(activations[2](c))
        return [a, b, c, d, self.f3(activations[3](d))]

    def forward(self, image):
        return self.trace(image, [F.relu] * 4)[-1]


def fit_relu(samples: torch.Tensor, degree: int) -> list[float]:
    """Chebyshev coefficients on [-RANGE, RANGE]: least squares, weighted by where values fall."""
    bins = 2000
    counts, edges = np.histogram(samples.numpy() / RANGE, bins, (-1, 1))
    x = (edges[1:] + edges[:-1]) / 2
    weight = np.sqrt(0.95 * counts / counts.sum() + 0.05 / bins)  # the floor keeps the tails safe
    basis = np.polynomial.chebyshev.chebvander(x, degree)
    return np.linalg.lstsq(basis * weight[:, None], np.maximum(x, 0) * weight, rcond=None)[0].tolist()


def polynomial(coefficients: list[float]):
    """The function RANGE * p(x / RANGE), by Clenshaw's recurrence."""

    def evaluate(x):
        x = x.clamp(-RANGE, RANGE) / RANGE
        b1, b2 = coefficients[-1], 0.0
        for c in coefficients[-2:0:-1]:
            b1, b2 = 2 * x * b1 - b2 + c, b1
        return RANGE * (x * b1 - b2 + coefficients[0])

    return evaluate


@torch.no_grad()
def fit_all(model: LeNet5, images: torch.Tensor, degree: int):
    """One polynomial per ReLU, each fitted to what the layers before it really give."""
    fitted = []
    for layer in range(4):
        values = model.trace(images, fitted + [F.relu] * (4 - layer))[layer]
        fitted.append(polynomial(fit_relu(values.flatten(), degree)))
    return fitted


def train(model, images, labels, options, on_epoch):
    generator = torch.Generator().manual_seed(options.seed)
    steps = options.epochs * math.ceil(len(labels) / options.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=steps, pct_start=0.2)
    plain_epochs = options.epochs - options.consistent_epochs
    for epoch in range(options.epochs):
        model.train()
        smooth = fit_all(model, images[:2000], options.degree) if epoch >= plain_epochs else None
        losses = []
        for x, y in batches(images, labels, options.batch, generator):
            values = model.trace(x, [F.relu] * 4)
            loss = F.cross_entropy(values[-1], y)
            loss = loss + sum((v.abs() - KEEP).relu().square().mean() for v in values[:4]) * 10
            if smooth:
                gap = model.trace(x, smooth)[-1] - values[-1]
                loss = loss + options.consistency * gap.square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        on_epoch(epoch, sum(losses) / len(losses), smooth)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's four IDX files, gzip")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "../models/lenet5-relu.onnx")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--consistent-epochs", type=int, default=5, help="the last ones, with the second term")
    parser.add_argument("--consistency", type=float, default=0.1, help="weight of the second term")
    parser.add_argument("--degree", type=int, default=15, help="of the polynomial trained against")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    model = LeNet5()
    images, labels = load(options.data, "train")
    unseen = load(options.data, "t10k")

    def report(epoch, loss, smooth):
        gap = ""
        if smooth:
            with torch.no_grad():
                logits = model(unseen[0])
                error = (model.trace(unseen[0], smooth)[-1] - logits).abs().max()
                gap = f", polynomial within {(-torch.log2(error / (logits.max() - logits.min()))):.1f} bits"
        print(f"epoch {epoch + 1}/{options.epochs}: loss {loss:.4f}, test {accuracy(model, *unseen):.2f} %{gap}", flush=True)

    train(model, images, labels, options, report)
    peaks = largest(lambda x: model.trace(x, [F.relu] * 4), images)
    print("largest |value| on the training set, c1 c2 f1 f2 logits:", [round(p, 2) for p in peaks])
    export(model, options.out)


if __name__ == "__main__":
    main()
