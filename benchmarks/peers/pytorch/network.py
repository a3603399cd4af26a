"""The spiking LeNet-5 of examples/train-spiking-lenet5 as a PyTorch user would write it: time folded into the batch,
everything before the first neurons computed once for an image that is the same at every step."""
import torch
from torch import nn
from torch.nn import functional as F

import neurons


class SpikingLeNet5(nn.Module):
    """Images [batch, 1, 28, 28] to scores [batch, 10]. `dense`: "linear", or "conv" for 1 x 1 convolutions, which do not
    need a fast BLAS. Normalisation is to the deviation `threshold`."""

    def __init__(self, task, ways):
        super().__init__()
        self.task, self.ways = task, ways
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2, bias=False)
        self.conv2 = nn.Conv2d(6, 16, 5, bias=False)
        self.fc1 = nn.Linear(400, 120, bias=False)
        self.fc2 = nn.Linear(120, 84, bias=False)
        self.fc3 = nn.Linear(84, 10)
        self.norm1, self.norm2 = nn.BatchNorm2d(6), nn.BatchNorm2d(16)
        self.norm3, self.norm4 = nn.BatchNorm1d(120), nn.BatchNorm1d(84)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2, self.fc3):
            nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(self.fc3.bias)
        if ways["layout"] == "channels_last":
            self.to(memory_format=torch.channels_last)

    def fire(self, x, batch):
        """Signals [T * batch or batch, ...] to spikes [T * batch, ...]."""
        neuron, steps = self.task["neuron"], self.task["timeSteps"]
        if neuron["threshold"] != 1:
            x = x * neuron["threshold"]
        run = neurons.WAYS[self.ways["neurons"]]
        return run(x.unflatten(0, (-1, batch)), steps, neuron, self.task["surrogate"]).flatten(0, 1)

    def dense(self, layer, x):
        if self.ways["dense"] == "linear":
            return layer(x)
        return F.conv2d(x[:, :, None, None], layer.weight[:, :, None, None], layer.bias).flatten(1)

    def forward(self, images):
        batch = len(images)
        if self.ways["layout"] == "channels_last":
            images = images.contiguous(memory_format=torch.channels_last)
        x = F.avg_pool2d(self.fire(self.norm1(self.conv1(images)), batch), 2)
        x = F.avg_pool2d(self.fire(self.norm2(self.conv2(x)), batch), 2).flatten(1)
        x = self.fire(self.norm3(self.dense(self.fc1, x)), batch)
        x = self.fire(self.norm4(self.dense(self.fc2, x)), batch)
        return self.dense(self.fc3, x).unflatten(0, (-1, batch)).mean(0)

    def named_values(self):
        """Parameters under the names that HE-ML gives them."""
        for name, value in self.named_parameters():
            layer, what = name.split(".")
            yield f"{layer}.{ {'weight': 'gamma', 'bias': 'beta'}[what] if layer.startswith('norm') else what}", value
