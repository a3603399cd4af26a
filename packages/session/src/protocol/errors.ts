/** Errors over a connection: their code tells the class, as everywhere; what is not ours is told as no more than "Internal". */
import { ERROR_CLASSES, HeMlError } from '@he-ml/ckks-core'
import type { HeaderOf } from './messages.ts'

/** The message for an error. Files and bugs of the server are no business of the client's: their text stays here. */
export function errorHeader(error: unknown, run?: string): HeaderOf<'error'> {
  const known = error instanceof HeMlError && ERROR_CLASSES[error.code] !== undefined
  return {
    type: 'error',
    ...(run === undefined ? {} : { run }),
    code: known ? error.code : 'Internal',
    message: known ? error.message.slice(0, 4096) : 'the server failed: its own log says why',
  }
}

/** The error that a message tells of, in its class. */
export function errorOf({ code, message }: HeaderOf<'error'>): HeMlError {
  const Class = ERROR_CLASSES[code]
  return Class ? new Class(message) : new HeMlError(code, message)
}
