/** Failures as people and scripts want them: a line, and an exit code. */
import { HeMlError } from '@he-ml/ckks-core'

/** The same codes as the command line he-ml has: 2 usage, 3 a malformed file, 9 the file system, 130 cancelled, 1 a defect. */
const BY_CODE: Readonly<Record<string, number>> = {
  InvalidArgument: 2,
  Format: 3,
  Memory: 8,
  Unsupported: 10,
  Cancelled: 130,
}

/** What to say (nothing where commander has said it), and the process's exit code. */
export interface Failure {
  readonly text: string | undefined
  readonly exitCode: number
}

/** A defect of ours comes with its stack, everything else is one message. */
export function describeFailure(error: unknown): Failure {
  const { code, message, stack, syscall } = (error ?? {}) as Error & { code?: unknown; syscall?: unknown }
  if (typeof code === 'string' && code.startsWith('commander.'))
    return { text: undefined, exitCode: code === 'commander.helpDisplayed' || code === 'commander.help' ? 0 : 2 }
  if (typeof syscall === 'string') return { text: message, exitCode: 9 }
  const known = typeof code === 'string' ? BY_CODE[code] : undefined
  if (known !== undefined || error instanceof HeMlError) return { text: message, exitCode: known ?? 1 }
  return { text: stack ?? String(error), exitCode: 1 }
}
