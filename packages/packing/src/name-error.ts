import { HeMlError, PlanError } from '@he-ml/ckks-core'

/** The same error with the layer's name in front, unless it is named already; for whatever the engine throws. */
export function nameError(name: string, error: unknown): unknown {
  if (!(error instanceof HeMlError) || error.message.includes(`"${name}"`)) return error
  const message = `layer "${name}": ${error.message}`
  if (error instanceof PlanError) return new PlanError(error.reason, message, { cause: error })
  // every other class of errors.ts takes a message and options
  const Class = error.constructor as new (message: string, options: ErrorOptions) => HeMlError
  return new Class(message, { cause: error })
}
