import { FormatError, HeMlError, InvalidArgumentError, MemoryError } from '@he-ml/ckks-core'

/** What a library error says: Error objects from 6, exceptions of the compiled code with [type, message] from 7. */
function reason(error: unknown): string {
  const message = (error as { message?: unknown } | undefined)?.message
  if (Array.isArray(message)) return message.join(': ')
  return typeof message === 'string' ? message : String(error)
}

function translate(operation: string, error: unknown, kind: 'call' | 'load'): HeMlError {
  if (error instanceof HeMlError) return error
  const text = `${operation}: SEAL: ${reason(error)}`
  const options = { cause: error }
  if (/alloc|memory|Aborted/i.test(text)) return new MemoryError(`${text}: its WebAssembly heap ends at 4 GB`, options)
  return kind === 'load' ? new FormatError(text, options) : new InvalidArgumentError(text, options)
}

/** Runs a library call; its errors become ours. */
export function attempt<T>(operation: string, call: () => T, kind: 'call' | 'load' = 'call'): T {
  try {
    return call()
  } catch (error) {
    throw translate(operation, error, kind)
  }
}
