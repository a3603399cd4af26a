import type { Operation } from './operation.ts'
import { ruleAt, rulesOf } from './opsets.ts'

/**
 * Holds a node against what its operator set says of its operator.
 * @throws UnsupportedError for operators and attributes that the set does not have; FormatError for numbers of inputs and
 *   outputs that it does not allow
 */
export function checkRule(op: Operation, attributes: readonly string[]): void {
  const { type } = op
  const { opset } = op.context
  const rule = ruleAt(type, opset)
  if (!rule)
    throw op.unsupported(
      `operator set ${opset}, which the file names, has no ${type} as read here (it came with set ${rulesOf(type)?.[0]?.since})`,
      'export with a newer operator set',
    )
  for (const name of attributes)
    if (!rule.attributes.includes(name))
      throw op.unsupported(
        `the attribute "${name}" is not supported: ${type} of operator set ${opset} has ${rule.attributes.join(', ') || 'none'}`,
        'export without it, or with the operator set that has it',
      )
  const count = op.inputCount
  if (count < rule.minInputs || count > rule.maxInputs)
    throw op.malformed(
      `has ${count} inputs, ${type} of operator set ${opset} takes ${range(rule.minInputs, rule.maxInputs)}`,
    )
  for (let i = 0; i < rule.minInputs; i++) if (!op.has(i)) throw op.malformed(`has no input ${i}, which it needs`)
  if (op.outputs.length > rule.maxOutputs)
    throw op.malformed(
      `has ${op.outputs.length} outputs, ${type} of operator set ${opset} has ${range(1, rule.maxOutputs)}`,
    )
}

const range = (min: number, max: number): string =>
  min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `${min} or more` : `${min} to ${max}`
