"""Spiking neurons in PyTorch, for comparison: written from the definition in docs/notes/spiking-neurons.md, left to right.

Standard input: a JSON array of tasks. Standard output: a JSON object with the version and one result per task. Tensors are
{"dtype": "float32" or "float64", "shape": [...], "data": base64 of the values, little-endian}.

Task: "neuron" as in createNeuron; "x" [T, n], or "weights" [n, m] and "inputs" [T, m], which give x = inputs weights'.
Result: x, charged, spikes, membranePotentials, all [T, n]. With "gradients" (of "spikes" and "membranePotentials"),
"surrogate" and "detachReset" also "inputGradient" [T, n], by torch.autograd.
"""
import base64
import json
import math
import sys

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def decode(tensor):
    values = torch.frombuffer(bytearray(base64.b64decode(tensor["data"])), dtype=DTYPES[tensor["dtype"]])
    return values.reshape(tensor["shape"])


def encode(tensor):
    tensor = tensor.detach().contiguous()
    name = str(tensor.dtype).removeprefix("torch.")
    data = base64.b64encode(tensor.numpy().tobytes()).decode()
    return {"dtype": name, "shape": list(tensor.shape), "data": data}


def surrogate_slope(surrogate, z):
    """The surrogate's value at z = v - threshold; area 1 unless there is a height."""
    kind, w = surrogate["kind"], surrogate["width"]
    height = surrogate.get("height", 1 / (math.pi * w) if kind == "arctangent" else 1 / (2 * w))
    if kind == "rectangle":
        return height * (z.abs() <= w).to(z.dtype)
    if kind == "fastSigmoid":
        return height / (1 + z.abs() / w) ** 2
    if kind == "arctangent":
        return height / (1 + (z / w) ** 2)
    raise ValueError(f"no such surrogate: {kind}")


class Spike(torch.autograd.Function):
    """H(v - threshold); backwards the surrogate stands for the derivative."""

    @staticmethod
    def forward(ctx, v, threshold, surrogate):
        ctx.save_for_backward(v)
        ctx.threshold, ctx.surrogate = threshold, surrogate
        return (v >= threshold).to(v.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (v,) = ctx.saved_tensors
        return gradient * surrogate_slope(ctx.surrogate, v - ctx.threshold), None, None


def charge(neuron, u, x):
    if neuron["kind"] == "lif":
        return neuron["beta"] * u + x
    return neuron["a"] * (u - neuron["u1"]) * (u - neuron["u2"]) + x


def reset(neuron, v, s):
    if neuron["reset"] == "subtract":
        return v - s * neuron["threshold"]
    if neuron["reset"] == "zero":
        return v * (1 - s)
    return v


def run_neuron(task, x):
    neuron = task["neuron"]
    u = torch.zeros_like(x[0])
    charged, spikes, membranes = [], [], []
    for step in x:
        v = charge(neuron, u, step)
        s = Spike.apply(v, neuron["threshold"], task.get("surrogate"))
        u = reset(neuron, v, s.detach() if task.get("detachReset") else s)
        charged.append(v)
        spikes.append(s)
        membranes.append(u)
    return torch.stack(charged), torch.stack(spikes), torch.stack(membranes)


def run_task(task):
    x = decode(task["x"]) if "x" in task else decode(task["inputs"]) @ decode(task["weights"]).T
    gradients = task.get("gradients")
    x.requires_grad_(gradients is not None)
    charged, spikes, membranes = run_neuron(task, x)
    result = {"x": x, "charged": charged, "spikes": spikes, "membranePotentials": membranes}
    if gradients is not None:
        outputs = [spikes, membranes]
        directions = [decode(gradients["spikes"]), decode(gradients["membranePotentials"])]
        (result["inputGradient"],) = torch.autograd.grad(outputs, [x], directions)
    return {name: encode(value) for name, value in result.items()}


if __name__ == "__main__":
    tasks = json.load(sys.stdin)
    json.dump({"torch": torch.__version__, "results": [run_task(task) for task in tasks]}, sys.stdout)
