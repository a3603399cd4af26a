/**
 * What each operator set says an operator is: how many inputs and outputs, which attributes. An operator is read by the row of
 * its own operator set; what the row does not have (an output, an attribute) is refused, never ignored. From the operators'
 * specification, https://onnx.ai/onnx/operators/; a version that changed only types or broadcasting has no row of its own, what
 * it changed stands at the operator.
 */

/** The operator sets that are read; rows below say what each of them changed. */
export const OLDEST_SET = 7
export const NEWEST_SET = 26

export interface OperatorRule {
  /** Operator set with which this signature came. */
  readonly since: number
  readonly minInputs: number
  readonly maxInputs: number
  readonly maxOutputs: number
  readonly attributes: readonly string[]
}

type Row = readonly [
  name: string,
  since: number,
  minInputs: number,
  maxInputs: number,
  maxOutputs: number,
  attributes?: string,
]

const MANY = Number.POSITIVE_INFINITY
const POOL = 'auto_pad count_include_pad kernel_shape pads strides'
const MAX_POOL = 'auto_pad kernel_shape pads storage_order strides'
const reductions = ['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd'].flatMap((name): Row[] => [
  [name, 1, 1, 1, 1, 'axes keepdims'],
  [name, 18, 1, 2, 1, 'keepdims noop_with_empty_axes'],
])
const simple = (count: number, names: string, since = 1): Row[] =>
  names.split(' ').map((name): Row => [name, since, count, count, 1])

const ROWS: readonly Row[] = [
  ['Conv', 1, 2, 3, 1, 'auto_pad dilations group kernel_shape pads strides'],
  ['Gemm', 7, 3, 3, 1, 'alpha beta transA transB'],
  ['Gemm', 11, 2, 3, 1, 'alpha beta transA transB'],
  // five outputs: training mode, which has no attribute before operator set 14
  ['BatchNormalization', 7, 5, 5, 5, 'epsilon momentum spatial'],
  ['BatchNormalization', 9, 5, 5, 5, 'epsilon momentum'],
  ['BatchNormalization', 14, 5, 5, 3, 'epsilon momentum training_mode'],
  ['AveragePool', 7, 1, 1, 1, POOL],
  ['AveragePool', 10, 1, 1, 1, `${POOL} ceil_mode`],
  ['AveragePool', 19, 1, 1, 1, `${POOL} ceil_mode dilations`],
  ['MaxPool', 1, 1, 1, 1, 'auto_pad kernel_shape pads strides'],
  ['MaxPool', 8, 1, 1, 2, MAX_POOL],
  ['MaxPool', 10, 1, 1, 2, `${MAX_POOL} ceil_mode dilations`],
  ...reductions,
  ['ReduceSum', 1, 1, 1, 1, 'axes keepdims'],
  ['ReduceSum', 13, 1, 2, 1, 'keepdims noop_with_empty_axes'],
  ['Pad', 2, 1, 1, 1, 'mode pads value'],
  ['Pad', 11, 2, 3, 1, 'mode'],
  ['Pad', 18, 2, 4, 1, 'mode'],
  ['Clip', 6, 1, 1, 1, 'max min'],
  ['Clip', 11, 1, 3, 1],
  ['LeakyRelu', 6, 1, 1, 1, 'alpha'],
  ['Elu', 6, 1, 1, 1, 'alpha'],
  ['HardSigmoid', 6, 1, 1, 1, 'alpha beta'],
  ['Dropout', 7, 1, 1, 2, 'ratio'],
  ['Dropout', 12, 1, 3, 2, 'seed'],
  ['Gelu', 20, 1, 1, 1, 'approximate'],
  ['Flatten', 1, 1, 1, 1, 'axis'],
  ['Reshape', 5, 2, 2, 1],
  ['Reshape', 14, 2, 2, 1, 'allowzero'],
  ['Squeeze', 1, 1, 1, 1, 'axes'],
  ['Squeeze', 13, 1, 2, 1],
  ['Unsqueeze', 1, 1, 1, 1, 'axes'],
  ['Unsqueeze', 13, 2, 2, 1],
  ['Transpose', 1, 1, 1, 1, 'perm'],
  ['Slice', 1, 1, 1, 1, 'axes ends starts'],
  ['Slice', 10, 3, 5, 1],
  ['Cast', 6, 1, 1, 1, 'to'],
  ['Cast', 19, 1, 1, 1, 'saturate to'],
  ['Cast', 24, 1, 1, 1, 'round_mode saturate to'],
  ['Constant', 1, 0, 0, 1, 'value'],
  ['Constant', 11, 0, 0, 1, 'sparse_value value'],
  [
    'Constant',
    12,
    0,
    0,
    1,
    'sparse_value value value_float value_floats value_int value_ints value_string value_strings',
  ],
  ['ConstantOfShape', 9, 1, 1, 1, 'value'],
  ['Shape', 1, 1, 1, 1],
  ['Shape', 15, 1, 1, 1, 'end start'],
  ['Gather', 1, 2, 2, 1, 'axis'],
  ['Concat', 4, 1, MANY, 1, 'axis'],
  ['Split', 2, 1, 1, MANY, 'axis split'],
  ['Split', 13, 1, 2, MANY, 'axis'],
  ['Split', 18, 1, 2, MANY, 'axis num_outputs'],
  ['Mod', 10, 2, 2, 1, 'fmod'],
  ['DequantizeLinear', 10, 2, 3, 1],
  ['DequantizeLinear', 13, 2, 3, 1, 'axis'],
  ['DequantizeLinear', 21, 2, 3, 1, 'axis block_size'],
  ['DequantizeLinear', 23, 2, 3, 1, 'axis block_size output_dtype'],
  ...['Sum', 'Mean', 'Max', 'Min'].map((name): Row => [name, 6, 1, MANY, 1]),
  ...simple(1, 'GlobalAveragePool Relu Sigmoid Tanh Neg Abs Sqrt Reciprocal Exp Log Floor Ceil Not Identity Size'),
  ...simple(1, 'Erf Sign', 9),
  ...simple(1, 'Round', 11),
  ...simple(1, 'Softplus'),
  ...simple(1, 'HardSwish', 14),
  ...simple(2, 'PRelu', 7),
  ...simple(2, 'MatMul Add Sub Mul Div Pow Equal Greater Less And Or Xor'),
  ...simple(2, 'Expand', 8),
  ...simple(2, 'Tile', 6),
  ...simple(2, 'GreaterOrEqual LessOrEqual', 12),
  ...simple(3, 'Where', 9),
  ...simple(3, 'Range', 11),
]

const RULES = new Map<string, OperatorRule[]>()
for (const [name, since, minInputs, maxInputs, maxOutputs, attributes = ''] of ROWS) {
  const rule = { since, minInputs, maxInputs, maxOutputs, attributes: attributes.split(' ').filter((a) => a !== '') }
  RULES.set(name, [...(RULES.get(name) ?? []), rule])
}

/** Every signature of an operator, oldest first; undefined for operators that have no row. */
export const rulesOf = (operator: string): readonly OperatorRule[] | undefined => RULES.get(operator)

/** The signature of an operator in an operator set; undefined when the set is older than the operator. */
export const ruleAt = (operator: string, set: number): OperatorRule | undefined =>
  RULES.get(operator)?.findLast((rule) => rule.since <= set)
