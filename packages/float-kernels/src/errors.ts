import { DisposedError, HeMlError, InvalidArgumentError, MemoryError } from '@he-ml/ckks-core'
import { createErrorTranslator } from '@he-ml/native-runtime'

/** Errors of the compiled kernels as typed ones. */
export const { native, nativeAsync } = createErrorTranslator(
  { Disposed: DisposedError, InvalidArgument: InvalidArgumentError, Memory: MemoryError },
  HeMlError,
  (message, cause) => new HeMlError('Internal', message, { cause }),
)
