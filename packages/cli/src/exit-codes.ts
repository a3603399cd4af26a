/**
 * Exit codes, stable: 0 done, 1 a defect of ours, 2 wrong usage or argument, 3 a malformed file, 4 things that do not belong
 * together, 5 not 128-bit secure, 6 no plan possible, 7 a missing key, 8 not enough memory, 9 the file system said no,
 * 10 not supported, 11 wrong level or scale, 130 cancelled.
 */
import { HeMlError } from '@he-ml/ckks-core'

const BY_CODE: Readonly<Record<string, number>> = {
  InvalidArgument: 2,
  Format: 3,
  FileSystem: 9,
  ParameterMismatch: 4,
  Disposed: 1,
  Security: 5,
  Plan: 6,
  MissingKey: 7,
  Memory: 8,
  Unsupported: 10,
  Level: 11,
  Scale: 11,
  Cancelled: 130,
}

/** The code for a failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof HeMlError) return BY_CODE[error.code] ?? 1
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  if (typeof code === 'string') {
    // what the system answered to a call: ENOENT, ENOSPC, EACCES, ...
    if (typeof syscall === 'string' && /^E[A-Z0-9]+$/.test(code)) return 9
    if (code === 'ERR_FS_FILE_TOO_LARGE') return 10
    if (code === 'Format') return 3
    if (code.startsWith('commander.')) return code === 'commander.helpDisplayed' || code === 'commander.version' ? 0 : 2
  }
  return 1
}
