/** A plan together with the model it was made for: what runs. */
import type { Parameters } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import type { Program } from '../program/program.ts'
import type { Plan } from './plan-form.ts'

/** Made by {@link compileAndBind}, or from a plan by {@link bindPlan}. */
export interface BoundPlan {
  /** What was decided; as JSON it may be stored and sent. */
  readonly plan: Plan
  /** Made from the plan, and 128-bit secure. */
  readonly parameters: Parameters
  /** With polynomials chosen and factors folded. */
  readonly model: Model
  /** What runs: values, tasks and weights. */
  readonly program: Program
}
