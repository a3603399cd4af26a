/**
 * Exit codes, stable: 0 done, 1 a defect of ours, 2 wrong usage or argument, 3 a malformed file, 4 things that do not belong
 * together, 5 not 128-bit secure or not to be published, 6 no plan possible, 7 a missing key, 8 not enough memory, 9 the file
 * system said no (missing, a folder instead of a file, not allowed, full; no server at a socket, or gone), 10 not supported, 11 wrong level or scale, 130
 * cancelled.
 */
import { HeMlError } from '@he-ml/ckks-core'
import { systemError } from '@he-ml/ckks-core/node'

const BY_CODE: Readonly<Record<string, number>> = {
  InvalidArgument: 2,
  Format: 3,
  ParameterMismatch: 4,
  Disposed: 1,
  Security: 5,
  Plan: 6,
  MissingKey: 7,
  Memory: 8,
  FileSystem: 9,
  Unsupported: 10,
  Level: 11,
  Scale: 11,
  Cancelled: 130,
}

/** The code for a failure. */
export function exitCodeOf(failure: unknown): number {
  const error = systemError(failure)
  if (error instanceof HeMlError) return BY_CODE[error.code] ?? 1
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string') {
    // the data sets' own classes
    if (code === 'Format' || code === 'Unsupported') return BY_CODE[code]!
    if (code.startsWith('commander.')) return code === 'commander.helpDisplayed' || code === 'commander.version' ? 0 : 2
  }
  return 1
}
