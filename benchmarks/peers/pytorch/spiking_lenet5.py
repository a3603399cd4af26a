"""One epoch of the spiking LeNet-5 in PyTorch, in turns: a line "go" on standard input trains the next steps, and a line of
JSON says how long they took; after the last step the answer is the accuracy. See benchmarks/peers/README.md.

  spiking_lenet5.py --data FOLDER [--task FILE] [--threads N] [--chunk N] [--limit N]   train when told
  spiking_lenet5.py --data FOLDER --evaluate                                            a whole epoch, then the test digits
  spiking_lenet5.py --check FILE                                                        scores, loss, gradients of one batch
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

DEFAULT_TASK = {
    "neuron": {"kind": "lif", "beta": 0.5, "threshold": 1, "reset": "subtract"},
    "surrogate": {"width": 0.5, "height": 1},
    "timeSteps": 4,
    "batchSize": 64,
    "learningRate": 2e-3,
}
# what is tried, one after the other, each time with the best of what was tried before
WAYS = {
    "neurons": ["fused", "recurrence"],
    "dense": ["linear", "conv"],
    "layout": ["nchw", "channels_last"],
    "adam": ["foreach", "loop"],
}
TRIAL_WARM_UP, TRIAL_STEPS = 3, 15
# how OpenMP's threads wait for work: asleep, or spinning first, which is good on an idle machine only
WAITS = ["passive", "active"]
MOST_TRIAL_SECONDS = 20

parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--task")
parser.add_argument("--check")
parser.add_argument("--evaluate", action="store_true")
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--chunk", type=int, default=94, help="steps per go")
parser.add_argument("--limit", type=int, default=60000, help="images of the epoch")
parser.add_argument("--no-restart", action="store_true", help="keep the environment as it is")
parser.add_argument("--trial", action="store_true", help="say how long a step takes, and end")
parser.add_argument("--wait", choices=WAITS, help="how threads wait; default: whatever is faster")
for _name, _values in WAYS.items():
    parser.add_argument(f"--{_name}", choices=_values, help="default: whatever is fastest")
options = parser.parse_args()


def environment(threads):
    """What is read while a process starts: threads; freed memory kept instead of returned after every tensor (as allocators
    that PyTorch's guides advise do); and AVX-512 for all of PyTorch's own loops, where there is any."""
    settings = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    settings.update(MALLOC_MMAP_THRESHOLD_=10**9, MALLOC_TRIM_THRESHOLD_=2 * 10**9, MALLOC_TOP_PAD_=10**8)
    with open("/proc/cpuinfo") as file:
        if "avx512f" in file.read():
            settings["ATEN_CPU_CAPABILITY"] = "avx512"
    return {name: str(value) for name, value in settings.items()}


def trial_ms(wait):
    """Milliseconds of a step in a process of its own whose threads wait so; infinity when it takes too long."""
    command = [sys.executable, sys.argv[0], "--threads", str(options.threads), "--no-restart", "--trial"]
    try:
        env = {**os.environ, "OMP_WAIT_POLICY": wait}
        said = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              timeout=MOST_TRIAL_SECONDS, check=True)
        return json.loads(said.stdout)["ms"]
    except subprocess.TimeoutExpired:
        return math.inf


if __name__ == "__main__" and not options.no_restart:
    os.environ.update(environment(options.threads))
    if not options.wait:
        options.wait = min(WAITS, key=trial_ms) if options.threads > 1 else WAITS[0]
    os.environ["OMP_WAIT_POLICY"] = options.wait
    os.execv(sys.executable, [sys.executable, *sys.argv, "--wait", options.wait, "--no-restart"])

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from network import SpikingLeNet5  # noqa: E402
from tensors import decode, encode, read_digits  # noqa: E402


class Epoch:
    """An epoch that can be taken in pieces: shuffled batches, Adam, cosine rate from the task's down to 0."""

    def __init__(self, task, ways, images, labels):
        torch.manual_seed(1)
        self.task, self.images, self.labels = task, images, labels
        self.network = SpikingLeNet5(task, ways)
        self.optimizer = torch.optim.Adam(self.network.parameters(), foreach=ways["adam"] == "foreach")
        self.order = torch.randperm(len(images))
        self.steps = math.ceil(len(images) / task["batchSize"])
        self.step = 0

    def train_step(self):
        batch, rate = self.task["batchSize"], self.task["learningRate"]
        chosen = self.order[self.step * batch : (self.step + 1) * batch]
        progress = self.step / max(1, self.steps - 1)
        self.optimizer.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * progress)) / 2
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.network(self.images[chosen]), self.labels[chosen])
        loss.backward()
        self.optimizer.step()
        self.step += 1
        return loss.item() * len(chosen), len(chosen)

    def train_chunk(self, count):
        """Up to `count` steps, or what is left of the epoch."""
        started = time.perf_counter()
        done = [self.train_step() for _ in range(min(count, self.steps - self.step))]
        images = sum(n for _, n in done)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "steps": len(done), "images": images, "loss": sum(loss for loss, _ in done) / images}


def fastest_ways(task, images, labels):
    """The fastest of each choice that the command line leaves open, by the median of a few steps."""
    best = {name: getattr(options, name) or values[0] for name, values in WAYS.items()}
    tried = {}

    def median_step(ways):
        key = " ".join(ways.values())
        if key not in tried:
            epoch = Epoch(task, ways, images[: 32 * task["batchSize"]], labels)
            times = [epoch.train_chunk(1)["seconds"] for _ in range(TRIAL_WARM_UP + TRIAL_STEPS)]
            tried[key] = statistics.median(times[TRIAL_WARM_UP:])
        return tried[key]

    for name, values in WAYS.items():
        if not getattr(options, name):
            best = min(({**best, name: value} for value in values), key=median_step)
    return best, {key: round(seconds * 1e3, 3) for key, seconds in tried.items()}


def trial():
    """Median of a few steps on random digits, with dense layers as convolutions, which are fast with any BLAS."""
    ways = {name: values[-1] if name == "dense" else values[0] for name, values in WAYS.items()}
    size = DEFAULT_TASK["batchSize"] * (TRIAL_WARM_UP + TRIAL_STEPS)
    epoch = Epoch(DEFAULT_TASK, ways, torch.rand(size, 1, 28, 28), torch.randint(0, 10, (size,)))
    times = [epoch.train_chunk(1)["seconds"] for _ in range(TRIAL_WARM_UP + TRIAL_STEPS)]
    say({"ms": statistics.median(times[TRIAL_WARM_UP:]) * 1e3})


def say(line):
    print(json.dumps(line), flush=True)


def accuracy(network, images, labels):
    network.eval()
    with torch.no_grad():
        right = sum((network(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))
    return right / len(images)


def check(file):
    """Scores, loss and gradients of every way for the weights and the batch of a task."""
    task = json.load(open(file))
    images, labels = decode(task["images"]), torch.tensor(task["labels"])
    for index in range(2):
        ways = {name: values[index] for name, values in WAYS.items()}
        network = SpikingLeNet5(task, ways)
        with torch.no_grad():
            for name, value in network.named_values():
                value.copy_(decode(task["weights"][name]))
        scores = network(images)
        loss = F.cross_entropy(scores, labels)
        loss.backward()
        gradients = {name: encode(value.grad) for name, value in network.named_values()}
        say({"ways": ways, "loss": loss.item(), "scores": encode(scores), "gradients": gradients})


def main():
    torch.set_num_threads(options.threads)
    if options.trial:
        return trial()
    if options.check:
        return check(options.check)
    task = json.load(open(options.task)) if options.task else DEFAULT_TASK
    images, labels = (values[: options.limit] for values in read_digits(options.data, "train"))
    ways, tried = fastest_ways(task, images, labels)
    epoch = Epoch(task, ways, images, labels)
    ways = {**ways, "wait": options.wait}
    say({"ready": True, "peer": f"torch {torch.__version__}", "ways": ways, "stepMs": tried, "threads": options.threads})
    if options.evaluate:
        while epoch.step < epoch.steps:
            say(epoch.train_chunk(options.chunk))
        return say({"accuracy": accuracy(epoch.network, *read_digits(options.data, "t10k"))})
    for _ in sys.stdin:
        if epoch.step < epoch.steps:
            say(epoch.train_chunk(options.chunk))
        else:
            say({"accuracy": accuracy(epoch.network, *read_digits(options.data, "t10k"))})


if __name__ == "__main__":
    main()
