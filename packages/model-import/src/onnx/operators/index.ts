import type { Translate } from '../operation.ts'
import { addition, division, negation, power, product, subtraction } from './arithmetic.ts'
import { batchNormalization, gemm, matMul } from './linear.ts'
import { activationOf, constantOf, dropout, erf, flattenOf, identityOf, reshapeOf, squeeze } from './shapes.ts'
import { averagePool, conv, globalAverage, pad, reduceMean } from './windows.ts'

/** How each supported operator becomes part of the graph. */
export const OPERATORS: ReadonlyMap<string, Translate> = new Map<string, Translate>([
  ['Conv', conv],
  ['Gemm', gemm],
  ['MatMul', matMul],
  ['BatchNormalization', batchNormalization],
  ['AveragePool', averagePool],
  ['GlobalAveragePool', globalAverage],
  ['ReduceMean', reduceMean],
  ['Pad', pad],
  ['Relu', activationOf('relu')],
  ['Sigmoid', activationOf('sigmoid')],
  ['Tanh', activationOf('tanh')],
  ['Gelu', activationOf('gelu')],
  ['Erf', erf],
  ['Add', addition],
  ['Sub', subtraction],
  ['Neg', negation],
  ['Mul', product],
  ['Div', division],
  ['Pow', power],
  ['Flatten', flattenOf],
  ['Reshape', reshapeOf],
  ['Squeeze', squeeze],
  ['Constant', constantOf],
  ['Identity', identityOf],
  ['Dropout', dropout],
])

const ACTIVATIONS = 'Relu, Sigmoid, Tanh, SiLU, GELU or a square'

/** What could replace operators that are often met. */
export const REPLACEMENTS: ReadonlyMap<string, string> = new Map<string, string>([
  ['MaxPool', 'train with AveragePool: a maximum needs many encrypted comparisons'],
  ['GlobalMaxPool', 'train with GlobalAveragePool: a maximum needs many encrypted comparisons'],
  ['LeakyRelu', `use ${ACTIVATIONS}`],
  ['PRelu', `use ${ACTIVATIONS}`],
  ['Elu', `use ${ACTIVATIONS}`],
  ['Selu', `use ${ACTIVATIONS}`],
  ['Clip', 'use Relu instead of Relu6: ranges are calibrated anyway'],
  ['HardSwish', 'use SiLU (x * sigmoid(x))'],
  ['HardSigmoid', 'use Sigmoid'],
  ['Softmax', 'drop it: the client can apply it to the decrypted logits, and the largest stays the largest'],
  ['LogSoftmax', 'drop it: the client can apply it to the decrypted logits'],
  ['ArgMax', 'drop it: the client takes the largest decrypted logit'],
  ['Shape', 'export with fixed shapes, or write torch.flatten(x, 1) instead of x.view(x.size(0), -1)'],
  ['Gather', 'export with fixed shapes, or write torch.flatten(x, 1) instead of x.view(x.size(0), -1)'],
  ['Concat', 'add branches instead of concatenating them'],
  ['Transpose', 'store the weights in the order in which they are used'],
  ['LayerNormalization', 'use BatchNormalization: its statistics are constants'],
  ['InstanceNormalization', 'use BatchNormalization: its statistics are constants'],
  ['GroupNormalization', 'use BatchNormalization: its statistics are constants'],
  ['ConvTranspose', 'use Conv'],
  ['Unsqueeze', 'use Reshape'],
  ['If', 'export without control flow: an encrypted value cannot steer it'],
  ['Loop', 'export without control flow: unroll it'],
])
