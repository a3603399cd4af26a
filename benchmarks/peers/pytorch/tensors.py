"""Tensors from IDX files and from JSON."""
import base64
import gzip
import os

import torch


def read_idx(folder, name):
    """Unsigned bytes of an IDX file, gzip or not, as a tensor of its shape."""
    path = os.path.join(folder, name)
    opened = gzip.open(f"{path}.gz") if os.path.exists(f"{path}.gz") else open(path, "rb")
    with opened as file:
        data = file.read()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return torch.frombuffer(bytearray(data[4 + 4 * dimensions :]), dtype=torch.uint8).reshape(shape)


def read_digits(folder, split):
    """Images [n, 1, 28, 28] between 0 and 1, and labels [n]."""
    images = read_idx(folder, f"{split}-images-idx3-ubyte").unsqueeze(1).to(torch.float32).div_(255)
    return images, read_idx(folder, f"{split}-labels-idx1-ubyte").to(torch.int64)


def decode(tensor):
    """{"shape", "data"}: single precision, little-endian, base64."""
    return torch.frombuffer(bytearray(base64.b64decode(tensor["data"])), dtype=torch.float32).reshape(tensor["shape"])


def encode(tensor):
    tensor = tensor.detach().to(torch.float32).contiguous()
    return {"shape": list(tensor.shape), "data": base64.b64encode(tensor.numpy().tobytes()).decode()}
