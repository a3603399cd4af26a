import { CancelledError } from '@he-ml/ckks-core'

/**
 * Awaits work as long as a signal is not aborted; the work itself goes on.
 * @throws CancelledError once the signal is aborted; whatever the work throws
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new CancelledError('run: cancelled', { cause: signal.reason }))
  })
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
