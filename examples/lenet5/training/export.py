"""Writes a trained network as ONNX, and says how it does on data it never saw."""

from pathlib import Path

import torch


def export(model: torch.nn.Module, path: Path) -> None:
    """ONNX opset 13: input `image` [batch, 1, 28, 28], output `logits` [batch, 10]."""
    model.eval()
    torch.onnx.export(
        model,
        torch.zeros(1, 1, 28, 28),
        str(path),
        opset_version=13,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
    )
    print(f"wrote {path.name}: {path.stat().st_size} bytes", flush=True)


@torch.no_grad()
def largest(values_of, images: torch.Tensor) -> list[float]:
    """Largest absolute value of each tensor in the list that values_of(batch) gives."""
    peaks: list[float] = []
    for batch in images.split(1000):
        found = [values.abs().max().item() for values in values_of(batch)]
        peaks = [max(pair) for pair in zip(peaks, found)] if peaks else found
    return peaks
