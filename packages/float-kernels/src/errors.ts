import { ERROR_CLASSES, HeMlError } from '@he-ml/ckks-core'
import { createErrorTranslator } from '@he-ml/native-runtime'

/** Errors of the compiled kernels as typed ones. */
export const { native, nativeAsync } = createErrorTranslator(
  ERROR_CLASSES,
  HeMlError,
  (message, cause) => new HeMlError('Internal', message, { cause }),
)
