"""The trained network as ONNX, and what the values in it look like."""
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from data import normalise
from network import Quad, predict


def export(net, path):
    """Write the folded network: Conv, Mul, Add, ReduceMean and Gemm only.

    Each activation is Mul(x, x) -> Mul(a) -> Add(Mul(x, b)) -> Add(c)."""
    nodes, tensors = [], []

    def constant(name, value):
        value = np.asarray(value.detach(), np.float32)
        tensors.append(numpy_helper.from_array(value, name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(x, name, module):
        c = module.conv
        k, p, s = c.kernel_size[0], c.padding[0], c.stride[0]
        return node('Conv', [x, constant(name + '.weight', c.weight), constant(name + '.bias', c.bias)],
                    name + '.out', kernel_shape=[k, k], strides=[s, s], pads=[p] * 4,
                    dilations=[1, 1], group=1)

    def quad(x, name, module):
        a, b, c = (constant(f'{name}.{k}', v) for k, v in zip('abc', module.coefficients()))
        square = node('Mul', [node('Mul', [x, x], name + '.square'), a], name + '.quadratic')
        linear = node('Mul', [x, b], name + '.linear')
        return node('Add', [node('Add', [square, linear], name + '.sum'), c], name + '.out')

    x = quad(conv('image', 'conv1', net.conv1), 'act', net.act)
    for i, block in enumerate(net.blocks):
        name = f'layers.{i // 3}.{i % 3}.'
        y = quad(conv(x, name + 'conv1', block.conv1), name + 'act1', block.act1)
        y = conv(y, name + 'conv2', block.conv2)
        if block.shortcut is not None:
            x = conv(x, name + 'shortcut', block.shortcut)
        x = quad(node('Add', [y, x], name + 'add'), name + 'act2', block.act2)
    x = node('ReduceMean', [x], 'pool', axes=[2, 3], keepdims=0)
    node('Gemm', [x, constant('fc.weight', net.fc.weight), constant('fc.bias', net.fc.bias)],
         'logits', transB=1)
    graph = helper.make_graph(
        nodes, 'resnet20-quadratic',
        [helper.make_tensor_value_info('image', TensorProto.FLOAT, ['batch', 3, 32, 32])],
        [helper.make_tensor_value_info('logits', TensorProto.FLOAT, ['batch', 10])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def run_onnx(path, images):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return torch.cat([torch.from_numpy(session.run(
        None, {'image': normalise(images[i:i + 250]).contiguous().numpy()})[0])
        for i in range(0, len(images), 250)])


def measure_ranges(net, images):
    """Input minimum, maximum, mean and deviation of every activation, and of its output."""
    stats, hooks = {}, []

    def hook(name):
        def watch(_m, inputs, output):
            x = inputs[0].double()
            row = stats.setdefault(name, dict(min=1e30, max=-1e30, outMin=1e30, outMax=-1e30,
                                              n=0, sum=0.0, square=0.0))
            row['min'], row['max'] = min(row['min'], x.min().item()), max(row['max'], x.max().item())
            row['outMin'] = min(row['outMin'], output.min().item())
            row['outMax'] = max(row['outMax'], output.max().item())
            row['n'] += x.numel()
            row['sum'] += x.sum().item()
            row['square'] += x.square().sum().item()
        return watch
    for name, m in net.activations():
        hooks.append(m.register_forward_hook(hook(name)))
    predict(net, images)
    for h in hooks:
        h.remove()
    result = []
    for name, m in net.activations():
        r = stats[name]
        mean = r['sum'] / r['n']
        row = {'name': name, 'min': r['min'], 'max': r['max'], 'mean': mean,
               'std': (r['square'] / r['n'] - mean ** 2) ** 0.5, 'outMin': r['outMin'], 'outMax': r['outMax']}
        if isinstance(m, Quad):
            a, b, c = (v.item() for v in m.coefficients())
            row.update(a=a, b=b, c=c, h=b / (2 * a), k=c - b * b / (4 * a))   # a (x+h)^2 + k
        result.append(row)
    return result
