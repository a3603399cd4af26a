import { FormatError } from '@he-ml/ckks-core'

/** Which rule of the form is broken. */
export type ProgramRule = 'order' | 'single assignment' | 'level' | 'operand' | 'weights' | 'output' | 'name'

/**
 * A program that does not keep the rules of its form.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { checkProgram, compileAndBind, ProgramError } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { program } = await compileAndBind(model)
 * const [task] = program.tasks
 * const twice = { ...program, tasks: [task!, task!] }
 * assert.throws(() => checkProgram(twice), (error) => error instanceof ProgramError && error.rule === 'name')
 * ```
 */
export class ProgramError extends FormatError {
  /** The rule that is broken. */
  readonly rule: ProgramRule
  constructor(rule: ProgramRule, message: string) {
    super(`program: ${message}`)
    this.rule = rule
  }
}
