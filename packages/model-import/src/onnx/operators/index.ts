import type { Translate } from '../operation.ts'
import { activationOf, clip, erf, maximum } from './activations.ts'
import { addition, division, negation, power, product, subtraction } from './arithmetic.ts'
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
  ['Transpose', transposeOf],
  ['Slice', sliceOf],
  ['Cast', castOf],
  ['MaxPool', maxPool],
  ['Identity', identityOf],
  ['Dropout', dropout],
])

const ACTIVATIONS = 'Relu, Sigmoid, Tanh, SiLU, GELU or a square'

/** What could replace operators that are often met. */
export const REPLACEMENTS: ReadonlyMap<string, string> = new Map<string, string>([
  ['GlobalMaxPool', 'train with GlobalAveragePool: a maximum needs many encrypted comparisons'],
  ['LeakyRelu', `use ${ACTIVATIONS}`],
  ['PRelu', `use ${ACTIVATIONS}`],
  ['Elu', `use ${ACTIVATIONS}`],
  ['Selu', `use ${ACTIVATIONS}`],
  ['HardSwish', 'use SiLU (x * sigmoid(x))'],
  ['HardSigmoid', 'use Sigmoid'],
  ['Softmax', 'drop it: the client can apply it to the decrypted logits, and the largest stays the largest'],
  ['LogSoftmax', 'drop it: the client can apply it to the decrypted logits'],
  ['ArgMax', 'drop it: the client takes the largest decrypted logit'],
  ['Gather', 'write a slice where the indices follow each other'],
  ['Concat', 'add branches instead of concatenating them'],
  ['LayerNormalization', 'use BatchNormalization: its statistics are constants'],
  ['InstanceNormalization', 'use BatchNormalization: its statistics are constants'],
  ['GroupNormalization', 'use BatchNormalization: its statistics are constants'],
  ['ConvTranspose', 'use Conv'],
  ['If', 'export without control flow: an encrypted value cannot steer it'],
  ['Loop', 'export without control flow: unroll it'],
])
