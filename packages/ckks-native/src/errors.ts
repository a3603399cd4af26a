import {
  CancelledError,
  DisposedError,
  FormatError,
  HeMlError,
  InvalidArgumentError,
  LevelError,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
  ScaleError,
} from '@he-ml/ckks-core'

const CLASSES: Record<string, new (message: string, options?: ErrorOptions) => HeMlError> = {
  Cancelled: CancelledError,
  Degree: InvalidArgumentError,
  Disposed: DisposedError,
  Format: FormatError,
  InvalidArgument: InvalidArgumentError,
  Key: MissingKeyError,
  Level: LevelError,
  Memory: MemoryError,
  ParameterMismatch: ParameterMismatchError,
  Scale: ScaleError,
}

/** The typed error for one thrown by the compiled engine, told apart by its `code`. */
export function typedError(error: unknown): Error {
  if (error instanceof HeMlError || !(error instanceof Error))
    return error instanceof Error ? error : new Error(String(error))
  const code = (error as Error & { code?: string }).code ?? 'Internal'
  const Class = CLASSES[code]
  if (Class) return new Class(error.message, { cause: error })
  return new HeMlError('Internal', error.message, { cause: error })
}

/** Runs a call of the compiled engine with typed errors. */
export function native<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw typedError(error)
  }
}

/** The same for a promise. */
export async function nativeAsync<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw typedError(error)
  }
}

/** @throws CancelledError with this message once the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined, message: string): void {
  if (signal?.aborted) throw new CancelledError(message, { cause: signal.reason })
}
