/**
 * 0 done, 1 a defect or a failed process, 2 wrong usage or argument, 3 a malformed file, 4 results of another budget, 9 the file
 * system said no, 130 cancelled.
 */
const BY_CODE: Readonly<Record<string, number>> = {
  InvalidArgument: 2,
  Format: 3,
  ParameterMismatch: 4,
  Cancelled: 130,
}

/** The code for a failure. */
export function exitCodeOf(error: unknown): number {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  if (typeof code !== 'string') return 1
  if (code.startsWith('commander.')) return code === 'commander.helpDisplayed' || code === 'commander.help' ? 0 : 2
  if (typeof syscall === 'string') return 9
  return BY_CODE[code] ?? 1
}
