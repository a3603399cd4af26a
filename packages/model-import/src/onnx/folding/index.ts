import {
  addTerms,
  binary,
  clip,
  divide,
  divideTerms,
  equal,
  linearBinary,
  modulo,
  multiplyTerms,
  subtractTerms,
  unary,
  where,
} from './elementwise.ts'
import type { Fold } from './fold.ts'
import * as move from './movement.ts'
import { dequantize, matMul, reduction } from './numbers.ts'
import { roundHalfEven } from './rounding.ts'
import * as source from './sources.ts'

const truth = (f: (a: number, b: number) => boolean): Fold => binary((a, b) => (f(a, b) ? 1 : 0), 'bool')
const mean: Fold = (op) => {
  const count = op.inputCount
  const sum = binary((a, b) => a + b)(op)
  return 'dims' in sum ? { ...sum, data: sum.data.map((v) => v / count) } : sum
}

/** What operators make of constants: a small interpreter. */
export const FOLDS: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  ['Constant', source.constant],
  ['ConstantOfShape', source.constantOfShape],
  ['Range', source.range],
  ['Cast', source.cast],
  ['Shape', source.shapeOf],
  ['Size', source.sizeOfValue],
  ['Identity', move.same],
  ['Dropout', move.dropout],
  ['Transpose', move.transpose],
  ['Reshape', move.reshape],
  ['Flatten', move.flatten],
  ['Squeeze', move.squeeze],
  ['Unsqueeze', move.unsqueeze],
  ['Slice', move.slice],
  ['Gather', move.gather],
  ['Concat', move.concat],
  ['Split', move.split],
  ['Expand', move.expand],
  ['Tile', move.tile],
  ['Pad', move.pad],
  ['Add', linearBinary((a, b) => a + b, addTerms)],
  ['Sub', linearBinary((a, b) => a - b, subtractTerms)],
  ['Mul', linearBinary((a, b) => a * b, multiplyTerms)],
  ['Div', linearBinary(divide, divideTerms)],
  ['Mod', modulo],
  ['Pow', binary((a, b) => a ** b)],
  ['Sum', binary((a, b) => a + b)],
  ['Mean', mean],
  ['Max', binary((a, b) => Math.max(a, b))],
  ['Min', binary((a, b) => Math.min(a, b))],
  ['Equal', equal],
  ['Greater', truth((a, b) => a > b)],
  ['GreaterOrEqual', truth((a, b) => a >= b)],
  ['Less', truth((a, b) => a < b)],
  ['LessOrEqual', truth((a, b) => a <= b)],
  ['And', truth((a, b) => a !== 0 && b !== 0)],
  ['Or', truth((a, b) => a !== 0 || b !== 0)],
  ['Xor', truth((a, b) => (a !== 0) !== (b !== 0))],
  ['Not', unary((x) => (x === 0 ? 1 : 0))],
  ['Where', where],
  ['Clip', clip],
  ['Neg', unary((x) => -x)],
  ['Abs', unary(Math.abs)],
  ['Sign', unary(Math.sign)],
  ['Sqrt', unary(Math.sqrt)],
  ['Reciprocal', unary((x) => 1 / x)],
  ['Exp', unary(Math.exp)],
  ['Log', unary(Math.log)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Round', unary(roundHalfEven)],
  ['Relu', unary((x) => Math.max(x, 0))],
  ['Sigmoid', unary((x) => 1 / (1 + Math.exp(-x)))],
  ['Tanh', unary(Math.tanh)],
  ['ReduceSum', reduction(0, (sum, v) => sum + v)],
  ['ReduceProd', reduction(1, (product, v) => product * v)],
  ['ReduceMax', reduction(-Infinity, Math.max)],
  ['ReduceMin', reduction(Infinity, Math.min)],
  [
    'ReduceMean',
    reduction(
      0,
      (sum, v) => sum + v,
      (sum, count) => sum / count,
    ),
  ],
  ['MatMul', matMul],
  ['DequantizeLinear', dequantize],
])

/** Operators that read only the size of what they are given, so that it need not be constant. */
export const READS_SIZE: ReadonlySet<string> = new Set(['Shape', 'Size'])
