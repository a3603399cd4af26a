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
import { createErrorTranslator, type ErrorClass } from '@he-ml/native-runtime'

const CLASSES: Record<string, ErrorClass<HeMlError>> = {
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

export const { typedError, native, nativeAsync } = createErrorTranslator(
  CLASSES,
  HeMlError,
  (message, cause) => new HeMlError('Internal', message, { cause }),
)

/** @throws CancelledError with this message once the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined, message: string): void {
  if (signal?.aborted) throw new CancelledError(message, { cause: signal.reason })
}
