import { CancelledError } from '../errors/errors.ts'

/**
 * Awaits work as long as a signal is not aborted; the work itself goes on. The signal gets one listener, and loses it again.
 *
 * @param operation whose message it is, such as `run`
 * @throws CancelledError once the signal is aborted; whatever the work throws
 */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  operation: string,
): Promise<T> {
  if (!signal) return work
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new CancelledError(`${operation}: cancelled`, { cause: signal.reason }))
  })
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
