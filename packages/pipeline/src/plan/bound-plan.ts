/** A plan together with the model it was made for: what runs. */
import type { Parameters } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import type { Program } from '../program/program.ts'
import type { Plan } from './plan.ts'

export interface BoundPlan {
  readonly plan: Plan
  readonly parameters: Parameters
  /** With polynomials chosen and factors folded. */
  readonly model: Model
  readonly program: Program
}
