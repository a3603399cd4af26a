import { HeMlError } from '@he-ml/ckks-core'

/** The loss is no longer finite: the learning rate is too high, or a QIF neuron ran away. */
export class TrainingDivergedError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('TrainingDiverged', message, options)
  }
}
