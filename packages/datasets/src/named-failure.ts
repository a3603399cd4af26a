/** Failures while reading say which file they are about: our errors get its path in front, the system's become ours. */
import { DatasetFileError, DatasetFormatError, DatasetUnsupportedError } from './errors.ts'

/**
 * What to throw instead of `error`, which came up while `source` was read.
 * @param source a path, or anything else: then the error is given back as it is
 */
export function namedFailure(source: unknown, error: unknown): unknown {
  if (typeof source !== 'string' || !(error instanceof Error)) return error
  const message = `${source}: ${error.message}`
  if (error instanceof DatasetFormatError) return new DatasetFormatError(message, { cause: error })
  if (error instanceof DatasetUnsupportedError) return new DatasetUnsupportedError(message, { cause: error })
  const { syscall, code } = error as Error & { readonly syscall?: unknown; readonly code?: unknown }
  if (error instanceof DatasetFileError || typeof syscall !== 'string' || typeof code !== 'string') return error
  const how = code === 'EISDIR' ? 'it is a folder, expected a file' : 'it cannot be read'
  const text = `${source}: ${how} (${error.message})`
  return new DatasetFileError({ path: source, code, syscall }, text, { cause: error })
}
