"""LIF and QIF neurons over all time steps, with a rectangle for the derivative of the step.

Two ways to write them: `recurrence` leaves the backward pass to autograd, step by step, as most users do; `fused` is one
autograd function for the whole sequence, with the backward pass by hand, few passes over memory, and scripted loops.
x is [T, batch, ...], or [1, batch, ...] when it is the same at every step; spikes are [T, batch, ...].
"""
from typing import Optional, Tuple

import torch


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, threshold, width, height):
        ctx.save_for_backward(v)
        ctx.window = threshold, width, height
        return (v >= threshold).to(v.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (v,) = ctx.saved_tensors
        threshold, width, height = ctx.window
        return gradient * ((v - threshold).abs() <= width) * height, None, None, None


def recurrence(x, steps, neuron, surrogate):
    threshold, u, spikes = neuron["threshold"], torch.zeros_like(x[0]), []
    for t in range(steps):
        current = x[t if len(x) > 1 else 0]
        if neuron["kind"] == "lif":
            v = torch.add(current, u, alpha=neuron["beta"])
        else:
            v = torch.addcmul(current, u - neuron["u1"], u - neuron["u2"], value=neuron["a"])
        s = Spike.apply(v, threshold, surrogate["width"], surrogate["height"])
        spikes.append(s)
        if neuron["reset"] == "subtract":
            u = torch.sub(v, s, alpha=threshold)
        else:
            u = v * (1 - s) if neuron["reset"] == "zero" else v
    return torch.stack(spikes)


def empty_over_time(x, steps: int):
    """[steps, batch, ...] like x, in the same order in memory."""
    shape = (steps * x.shape[1],) + tuple(x.shape[2:])
    last = len(shape) == 4 and x[0].is_contiguous(memory_format=torch.channels_last) and not x[0].is_contiguous()
    made = torch.empty(shape, memory_format=torch.channels_last if last else torch.contiguous_format)
    return made.view((steps,) + tuple(x.shape[1:]))


@torch.jit.script
def settle(v, s, u, threshold: float, reset: str):
    if reset == "subtract":
        torch.sub(v, s, alpha=threshold, out=u)
    elif reset == "zero":
        torch.addcmul(v, v, s, value=-1.0, out=u)
    else:
        u.copy_(v)


@torch.jit.script
def run_lif(x, v, u, s, beta: float, threshold: float, reset: str):
    for t in range(v.shape[0]):
        now = x[t if x.shape[0] > 1 else 0]
        if t == 0:
            v[0].copy_(now)
        else:
            torch.add(now, u[t - 1], alpha=beta, out=v[t])
        torch.ge(v[t], threshold, out=s[t])
        settle(v[t], s[t], u[t], threshold, reset)


@torch.jit.script
def run_qif(x, v, u, s, a: float, roots: Tuple[float, float], threshold: float, reset: str):
    for t in range(v.shape[0]):
        now = x[t if x.shape[0] > 1 else 0]
        if t == 0:
            torch.add(now, a * roots[0] * roots[1], out=v[0])
        else:
            torch.addcmul(now, u[t - 1] - roots[0], u[t - 1] - roots[1], value=a, out=v[t])
        torch.ge(v[t], threshold, out=s[t])
        settle(v[t], s[t], u[t], threshold, reset)


@torch.jit.script
def pull_back(gradient, slope: Optional[torch.Tensor], through: Optional[torch.Tensor], factor: float):
    """gradient[t] += factor * gradient[t + 1] * (d u / d v)[t] (* slope[t] when there is one), in place, latest first."""
    last = gradient.shape[0] - 1
    for i in range(last):
        t = last - 1 - i
        carried = gradient[t + 1] if slope is None else gradient[t + 1] * slope[t]
        if through is None:
            gradient[t].add_(carried, alpha=factor)
        else:
            gradient[t].addcmul_(carried, through[t], value=factor)


class Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, steps, neuron, surrogate):
        v, u, s = (empty_over_time(x, steps) for _ in range(3))
        if neuron["kind"] == "lif":
            run_lif(x, v, u, s, neuron["beta"], neuron["threshold"], neuron["reset"])
        else:
            run_qif(x, v, u, s, neuron["a"], (neuron["u1"], neuron["u2"]), neuron["threshold"], neuron["reset"])
        ctx.save_for_backward(v, u, s)
        ctx.neuron, ctx.surrogate, ctx.static = neuron, surrogate, len(x) == 1
        return s

    @staticmethod
    def backward(ctx, gradient):
        v, u, s = ctx.saved_tensors
        neuron, surrogate = ctx.neuron, ctx.surrogate
        h = ((v - neuron["threshold"]).abs_() <= surrogate["width"]).to(v.dtype).mul_(surrogate["height"])
        total = gradient * h
        through = None
        if neuron["reset"] == "subtract":
            through = h.mul_(-neuron["threshold"]).add_(1)
        elif neuron["reset"] == "zero":
            through = h.mul_(v).add_(s).neg_().add_(1)
        if neuron["kind"] == "lif":
            pull_back(total, None, through, neuron["beta"])
        else:
            pull_back(total, u.mul(2).sub_(neuron["u1"] + neuron["u2"]), through, neuron["a"])
        return total.sum(0, keepdim=True) if ctx.static else total, None, None, None


def fused(x, steps, neuron, surrogate):
    return Fused.apply(x, steps, neuron, surrogate)


WAYS = {"recurrence": recurrence, "fused": fused}
