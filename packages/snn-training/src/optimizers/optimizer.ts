import type { NamedValues } from '../layers/layer.ts'

/** Changes parameters by their gradients. */
export interface Optimizer {
  /** Everything besides the parameters that the next step depends on; of the parameters' precision. */
  readonly state: readonly NamedValues[]
  /** Steps taken; Adam corrects its means by it. Set when a checkpoint is loaded. */
  steps: number
  /** Changes all parameters by their present gradients. */
  step(learningRate: number): void
}
