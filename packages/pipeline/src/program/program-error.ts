import { FormatError } from '@he-ml/ckks-core'

/** Which rule of the form is broken. */
export type ProgramRule = 'order' | 'single assignment' | 'level' | 'operand' | 'weights' | 'output' | 'name'

/** A program that does not keep the rules of its form. */
export class ProgramError extends FormatError {
  /** The rule that is broken. */
  readonly rule: ProgramRule
  constructor(rule: ProgramRule, message: string) {
    super(`program: ${message}`)
    this.rule = rule
  }
}
