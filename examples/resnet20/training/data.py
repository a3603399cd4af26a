"""CIFAR-10: exact images, JPEG copies restored, and batches for training."""
import gzip
import io
import os
import tarfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
STD = torch.tensor([0.2023, 0.1994, 0.2010])
PAD = 4


def read_binary(path):
    """CIFAR-10 binary records -> uint8 [n,32,32,3], int64 [n]."""
    rows = np.frombuffer(gzip.open(path).read(), np.uint8).reshape(-1, 3073)
    images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), rows[:, 0].astype(np.int64)


def read_jpegs(path):
    """All JPEGs of the archive; the classes in alphabetical order are 0..9."""
    images, names = [], []
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith('.jpg'):
                data = tar.extractfile(member).read()
                images.append(np.asarray(Image.open(io.BytesIO(data)).convert('RGB')))
                names.append(member.name)
    order = np.argsort(names)
    classes = [names[i].split('/')[-2] for i in order]
    index = {c: i for i, c in enumerate(sorted(set(classes)))}
    return np.stack([images[i] for i in order]), np.array([index[c] for c in classes])


def match(exact, exact_y, jpg, jpg_y):
    """For each exact image the position of its JPEG copy (nearest, 8x8 blocks)."""
    def small(a):
        return a.reshape(-1, 8, 4, 8, 4, 3).mean((2, 4)).reshape(len(a), -1).astype(np.float32)
    found = np.zeros(len(exact), np.int64)
    for c in range(10):
        e, j = np.where(exact_y == c)[0], np.where(jpg_y == c)[0]
        a, b = small(exact[e]), small(jpg[j])
        found[e] = j[((b ** 2).sum(1)[None] - 2 * a @ b.T).argmin(1)]
    assert len(set(found.tolist())) == len(exact), 'JPEG copies not told apart'
    return found


def restore(jpg, source, target, epochs):
    """Train a small CNN source -> target (uint8 NHWC pairs); apply it to jpg."""
    def planes(a):
        return torch.from_numpy(np.ascontiguousarray(a)).permute(0, 3, 1, 2).float() / 255
    width = 48
    net = nn.Sequential(
        nn.Conv2d(3, width, 5, padding=2), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
        nn.Conv2d(width, 3, 3, padding=1)).to(memory_format=torch.channels_last)
    nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(net[-1].bias)
    x, y = planes(source), planes(target)
    batch = 64
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * (len(x) // batch))
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(len(x) // batch):
            k = order[i * batch:(i + 1) * batch]
            a, b = x[k], y[k]
            if torch.rand(()) < 0.5:
                a, b = a.flip(3), b.flip(3)
            with torch.autocast('cpu', dtype=torch.bfloat16):
                delta = net(a)
            loss = F.mse_loss(a + delta.float(), b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    out = []
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        for i in range(0, len(jpg), 500):
            a = planes(jpg[i:i + 500])
            b = (a + net(a).float()).clamp(0, 1) * 255
            out.append(b.round().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(out)


def load_data(args):
    """(training images, labels), (held-out), (exact training images alone)."""
    cache = os.path.join(args.out, 'data-cache.npz')
    exact, exact_y = read_binary(os.path.join(args.data, 'data_batch_1.bin.gz'))
    n = len(exact) - args.heldout
    if os.path.exists(cache):
        z = np.load(cache)
        jpg, jpg_y = z['x'], z['y']
    else:
        jpg, jpg_y = read_jpegs(os.path.join(args.data, 'train-jpg.tar.xz'))
        copies = match(exact, exact_y, jpg, jpg_y)
        jpg = restore(jpg, jpg[copies[:n]], exact[:n], args.restore_epochs)
        keep = np.setdiff1d(np.arange(len(jpg)), copies)   # neither held-out nor doubled
        jpg, jpg_y = jpg[keep], jpg_y[keep]
        np.savez(cache, x=jpg, y=jpg_y)
    x = np.concatenate([jpg] + [exact[:n]] * args.exact_repeat)
    y = np.concatenate([jpg_y] + [exact_y[:n]] * args.exact_repeat)
    return (x, y), (exact[n:], exact_y[n:]), exact[:n]


def normalise(batch):
    """uint8 NHWC -> normalised float NCHW (channels last in memory)."""
    return ((batch.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2)


def augment(padded, index):
    """Random 32x32 crop and flip of the padded uint8 images at index."""
    n = len(index)
    span = torch.arange(32)
    rows = torch.randint(0, 2 * PAD + 1, (n, 1)) + span
    cols = torch.randint(0, 2 * PAD + 1, (n, 1)) + span
    flip = torch.rand(n) < 0.5
    cols[flip] = cols[flip].flip(1)
    return padded[index[:, None, None], rows[:, :, None], cols[:, None, :]]
