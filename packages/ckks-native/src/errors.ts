import { CancelledError, ERROR_CLASSES, HeMlError, InvalidArgumentError, MissingKeyError } from '@he-ml/ckks-core'
import { createErrorTranslator } from '@he-ml/native-runtime'

/** Codes that only the compiled engine has. */
const OWN = { Degree: InvalidArgumentError, Key: MissingKeyError }

export const { typedError, native, nativeAsync } = createErrorTranslator(
  { ...ERROR_CLASSES, ...OWN },
  HeMlError,
  (message, cause) => new HeMlError('Internal', message, { cause }),
)

/** @throws CancelledError with this message once the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined, message: string): void {
  if (signal?.aborted) throw new CancelledError(message, { cause: signal.reason })
}
