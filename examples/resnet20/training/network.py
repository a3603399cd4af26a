"""ResNet-20 with ReLU (the teacher) and with quadratic activations (the student)."""
import onnx
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from data import augment, normalise


class Relu(nn.Module):
    def forward(self, x, blend=None):
        return F.relu(x)


class Polynomial(torch.autograd.Function):
    """y = blend (a x^2 + b x + c) + (1 - blend) relu(x), with few passes over memory.

    The backward pass adds the gradient of  weight * sum(excess(x)^2), where the
    excess is how far x lies outside [low, high]; report[0] gets sum(excess^2).
    Beyond a margin outside, the polynomial reads the nearest value within (the
    gradient passes): without this one outlier grows from layer to layer and
    spoils the whole batch.  Only training does so; the exported network never."""

    @staticmethod
    def forward(ctx, x, a, b, c, low, high, weight, blend, report):
        ctx.save_for_backward(x)
        ctx.rest = a.item(), b.item(), low, high, weight, blend, report
        a, b, c = a.item(), b.item(), c.item()
        margin = (high - low) / 4
        x = x.clamp(low - margin, high + margin)
        y = x.mul(a).add_(b).mul_(x).add_(c)
        return y if blend >= 1 else torch.lerp(F.relu(x), y, blend)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        a, b, low, high, weight, blend, report = ctx.rest
        margin = (high - low) / 4
        excess = x - x.clamp(low, high)
        x = x.clamp(low - margin, high + margin)
        d = x.mul(2 * a).add_(b)
        if blend < 1:
            d = torch.lerp((x > 0).to(x.dtype), d, blend)
        d.mul_(g)
        gx = g * x
        db, dc = gx.sum(dtype=torch.float32), g.sum(dtype=torch.float32)
        da = gx.mul_(x).sum(dtype=torch.float32)
        report[0] = excess.square().sum(dtype=torch.float32)
        d.add_(excess, alpha=2 * weight)
        return d, da * blend, db * blend, dc * blend, None, None, None, None, None


class Quad(nn.Module):
    """y = s (a u^2 + b u + c), u = x / s, scalars per layer; s is a constant."""

    def __init__(self, bound):
        super().__init__()
        self.a, self.b, self.c = (nn.Parameter(torch.zeros(())) for _ in range(3))
        self.register_buffer('s', torch.ones(()))
        self.register_buffer('mid', torch.zeros(()))
        self.bound = bound
        self.penalty = 0.0     # weight of the range penalty, per image
        self.excess = [torch.zeros(())]

    def fit(self, x):
        """Least squares to ReLU over the values x and 2 x (twice as wide a range
        makes the square term smaller, so outliers grow less); s, mid from x."""
        x = x.double().flatten()
        s = x.std()
        mid = x.mean() / s
        u = torch.cat([x / s, 2 * x / s])
        m = torch.stack([u * u, u, torch.ones_like(u)], 1)
        solution = torch.linalg.solve(m.T @ m, m.T @ F.relu(u))
        with torch.no_grad():
            for p, v in zip((self.a, self.b, self.c), solution):
                p.copy_(v)
            self.s.copy_(s)
            self.mid.copy_(mid)

    def coefficients(self):
        return self.a / self.s, self.b, self.c * self.s

    def forward(self, x, blend=None):
        a, b, c = self.coefficients()
        if not self.training:
            return (a * x + b) * x + c
        s, mid = self.s.item(), self.mid.item()     # the penalty counts in deviations
        return Polynomial.apply(x, a, b, c, s * (mid - self.bound), s * (mid + self.bound),
                                self.penalty / (s * s * len(x)), 1.0 if blend is None else blend,
                                self.excess)


class ConvBN(nn.Module):
    def __init__(self, cin, cout, kernel, stride, norm):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=not norm)
        self.bn = nn.BatchNorm2d(cout) if norm else None

    def forward(self, x):
        x = self.conv(x)
        return x if self.bn is None else self.bn(x)

    def folded(self):
        w = self.conv.weight.detach().double()
        if self.bn is None:
            return w.float(), self.conv.bias.detach()
        scale = self.bn.weight.detach().double() / (self.bn.running_var.double() + self.bn.eps).sqrt()
        b = self.bn.bias.detach().double() - self.bn.running_mean.double() * scale
        return (w * scale[:, None, None, None]).float(), b.float()


class Block(nn.Module):
    def __init__(self, cin, cout, stride, norm, act):
        super().__init__()
        self.conv1 = ConvBN(cin, cout, 3, stride, norm)
        self.act1 = act()
        self.conv2 = ConvBN(cout, cout, 3, 1, norm)
        self.shortcut = ConvBN(cin, cout, 1, stride, norm) if stride > 1 else None
        self.act2 = act()

    def forward(self, x, blend=None):
        y = self.conv2(self.act1(self.conv1(x), blend))
        return self.act2(y + (x if self.shortcut is None else self.shortcut(x)), blend)


class ResNet20(nn.Module):
    def __init__(self, norm, act):
        super().__init__()
        self.conv1 = ConvBN(3, 16, 3, 1, norm)
        self.act = act()
        self.blocks = nn.ModuleList()
        cin = 16
        for stage, cout in enumerate((16, 32, 64)):
            for i in range(3):
                self.blocks.append(Block(cin, cout, 2 if stage and not i else 1, norm, act))
                cin = cout
        self.fc = nn.Linear(64, 10)

    def forward(self, x, blend=None):
        """Logits and the outputs of the three stages."""
        x = self.act(self.conv1(x), blend)
        features = []
        for i, block in enumerate(self.blocks):
            x = block(x, blend)
            if i % 3 == 2:
                features.append(x)
        return self.fc(x.mean((2, 3))), features

    def activations(self):
        """(name, module) in the order of evaluation."""
        yield 'act', self.act
        for i, block in enumerate(self.blocks):
            yield f'layers.{i // 3}.{i % 3}.act1', block.act1
            yield f'layers.{i // 3}.{i % 3}.act2', block.act2

    def convolutions(self):
        yield 'conv1', self.conv1
        for i, block in enumerate(self.blocks):
            name = f'layers.{i // 3}.{i % 3}.'
            yield name + 'conv1', block.conv1
            yield name + 'conv2', block.conv2
            if block.shortcut is not None:
                yield name + 'shortcut', block.shortcut


def load_teacher(path):
    tensors = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
               for t in onnx.load(path).graph.initializer}
    net = ResNet20(norm=False, act=Relu)
    with torch.no_grad():
        for name, module in net.convolutions():
            module.conv.weight.copy_(tensors[name + '.weight'])
            module.conv.bias.copy_(tensors[name + '.bias'])
        net.fc.weight.copy_(tensors['fc.weight'])
        net.fc.bias.copy_(tensors['fc.bias'])
    return net.eval().requires_grad_(False)


def stage_outputs(path, threads):
    """The teacher in onnxruntime (much faster): images -> logits, [stage outputs]."""
    model = onnx.load(path)
    relus = [n.output[0] for n in model.graph.node if n.op_type == 'Relu']
    names = [relus[i] for i in (6, 12, 18)]
    model.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=['CPUExecutionProvider'])

    def run(x):
        logits, *features = (torch.from_numpy(v) for v in session.run(
            ['logits'] + names, {'image': x.contiguous().numpy()}))
        return logits, features
    return run


def make_student(teacher, images, bound):
    """The teacher's function, with BN that is the identity on these images, and
    quadratics fitted to what the teacher's activations read."""
    student = ResNet20(norm=True, act=lambda: Quad(bound))
    outputs, inputs, hooks = {}, {}, []
    for name, m in teacher.convolutions():
        hooks.append(m.register_forward_hook(lambda _m, _i, o, n=name: outputs.__setitem__(n, o)))
    for name, m in teacher.activations():
        hooks.append(m.register_forward_hook(lambda _m, i, _o, n=name: inputs.__setitem__(n, i[0])))
    with torch.no_grad():
        teacher(images)
        for (name, src), (_, dst) in zip(teacher.convolutions(), student.convolutions()):
            mean, var = outputs[name].mean((0, 2, 3)), outputs[name].var((0, 2, 3))
            norm = src.conv.weight.flatten(1).norm(dim=1).clamp_min(1e-3)  # unit filters
            dst.conv.weight.copy_(src.conv.weight / norm[:, None, None, None])
            dst.bn.running_mean.copy_((mean - src.conv.bias) / norm)
            dst.bn.running_var.copy_(var / norm ** 2)
            dst.bn.weight.copy_((var + dst.bn.eps * norm ** 2).sqrt())
            dst.bn.bias.copy_(mean)
        for name, m in student.activations():
            m.fit(inputs[name])
        student.fc.load_state_dict(teacher.fc.state_dict())
    for h in hooks:
        h.remove()
    return student


def folded_copy(student):
    """The network as exported: convolutions with bias, no BN, float32."""
    net = ResNet20(norm=False, act=lambda: Quad(0.0))
    with torch.no_grad():
        for (_, src), (_, dst) in zip(student.convolutions(), net.convolutions()):
            w, b = src.folded()
            dst.conv.weight.copy_(w)
            dst.conv.bias.copy_(b)
        for (_, src), (_, dst) in zip(student.activations(), net.activations()):
            for p, v in zip((dst.a, dst.b, dst.c), src.coefficients()):
                p.copy_(v)
        net.fc.load_state_dict(student.fc.state_dict())
    return net.eval()


def recalibrate(student, padded, batches=20):
    """Batch-normalisation statistics anew, averaged over more of the training
    images than the running ones (cropped like them: the black rims matter)."""
    norms = [m.bn for _, m in student.convolutions()]
    for bn in norms:
        bn.reset_running_stats()
        bn.momentum = None
    student.train()
    with torch.no_grad():
        for _ in range(batches):
            student(normalise(augment(padded, torch.randint(len(padded), (250,)))))
    for bn in norms:
        bn.momentum = 0.1
    student.eval()


def predict(net, images):
    with torch.no_grad():
        return torch.cat([net(normalise(images[i:i + 250]))[0] for i in range(0, len(images), 250)])


def accuracy(logits, labels):
    return (logits.argmax(1) == labels).float().mean().item()
