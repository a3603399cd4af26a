import type { Translate } from '../operation.ts'
import { activationOf, clip, erf, exponential, hard, leaky, maximum, prelu } from './activations.ts'
import { addition, division, negation, power, product, subtraction } from './arithmetic.ts'
import { concatenation } from './concatenation.ts'
import { conv } from './conv.ts'
import { batchNormalization, gemm, matMul } from './linear.ts'
import {
  castOf,
  dropout,
  flattenOf,
  identityOf,
  reshapeOf,
  sliceOf,
  squeeze,
  transposeOf,
  unsqueeze,
} from './movement.ts'
import { pad } from './pad.ts'
import { averagePool, globalAverage, maxPool } from './pools.ts'
import { reduceBy } from './reduce.ts'

/** How each supported operator becomes part of the graph, where its input depends on the image. */
export const OPERATORS: ReadonlyMap<string, Translate> = new Map<string, Translate>([
  ['Conv', conv],
  ['Gemm', gemm],
  ['MatMul', matMul],
  ['BatchNormalization', batchNormalization],
  ['AveragePool', averagePool],
  ['GlobalAveragePool', globalAverage],
  ['ReduceMean', reduceBy('average')],
  ['ReduceSum', reduceBy('sum')],
  ['Pad', pad],
  ['Relu', activationOf('relu')],
  ['Clip', clip],
  ['Max', maximum],
  ['Sigmoid', activationOf('sigmoid')],
  ['Tanh', activationOf('tanh')],
  ['Gelu', activationOf('gelu')],
  ['LeakyRelu', leaky],
  ['PRelu', prelu],
  ['Elu', exponential],
  ['Softplus', activationOf('softplus')],
  ['HardSwish', activationOf('hardSwish')],
  ['HardSigmoid', hard],
  ['Erf', erf],
  ['Add', addition],
  ['Sum', addition],
  ['Sub', subtraction],
  ['Neg', negation],
  ['Mul', product],
  ['Div', division],
  ['Pow', power],
  ['Flatten', flattenOf],
  ['Reshape', reshapeOf],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Concat', concatenation],
  ['Transpose', transposeOf],
  ['Slice', sliceOf],
  ['Cast', castOf],
  ['MaxPool', maxPool],
  ['Identity', identityOf],
  ['Dropout', dropout],
])

/** What could replace operators that are often met. */
export const REPLACEMENTS: ReadonlyMap<string, string> = new Map<string, string>([
  ['GlobalMaxPool', 'train with GlobalAveragePool: a maximum over a whole image needs many encrypted comparisons'],
  ['Selu', 'use Elu'],
  ['Celu', 'use Elu'],
  ['Mish', 'use SiLU (x * sigmoid(x)), or build the model from layers with customActivation'],
  ['Softmax', 'drop it: the client can apply it to the decrypted logits, and the largest stays the largest'],
  ['LogSoftmax', 'drop it: the client can apply it to the decrypted logits'],
  ['ArgMax', 'drop it: the client takes the largest decrypted logit'],
  ['Gather', 'write a slice where the indices follow each other'],
  ['LayerNormalization', 'use BatchNormalization: its statistics are constants'],
  ['InstanceNormalization', 'use BatchNormalization: its statistics are constants'],
  ['GroupNormalization', 'use BatchNormalization: its statistics are constants'],
  ['ConvTranspose', 'use Conv'],
  ['If', 'export without control flow: an encrypted value cannot steer it'],
  ['Loop', 'export without control flow: unroll it'],
])
