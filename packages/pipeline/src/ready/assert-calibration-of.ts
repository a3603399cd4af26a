import { ParameterMismatchError } from '@he-ml/ckks-core'
import type { Calibration } from './calibration.ts'

/**
 * Layers of another model may bear the same names, and its ranges would pass for this one's.
 * @param name of the model, for the message
 * @throws ParameterMismatchError for the calibration of another model
 */
export function assertCalibrationOf({ model, modelDigest }: Calibration, name: string, digest: string): void {
  if (modelDigest === digest) return
  throw new ParameterMismatchError(
    `the calibration is that of a model "${model}" with other weights, layers or options (digest ${short(modelDigest)}), got the model "${name}" (digest ${short(digest)}): pass what fit(model, data) gives for this very model as the option calibration`,
  )
}

const short = (digest: string): string => `${String(digest).slice(0, 12)}...`
