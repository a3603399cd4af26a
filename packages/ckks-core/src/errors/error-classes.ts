/**
 * The class of each code, for errors that come from elsewhere as a code and a message: from compiled code, from the other end of a
 * connection. Classes that carry more than a message (PlanError, FileSystemError) are not in it.
 */
import {
  CancelledError,
  DisposedError,
  FormatError,
  type HeMlError,
  InvalidArgumentError,
  LevelError,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
  ScaleError,
  SecurityError,
  UnsupportedError,
} from './errors.ts'

/** A class of errors that have a message and nothing else. */
export type ErrorClass = new (message: string, options?: ErrorOptions) => HeMlError

/** Code to class. Has no prototype: a code from outside finds these or nothing. */
export const ERROR_CLASSES: Readonly<Record<string, ErrorClass>> = Object.freeze(
  Object.assign(Object.create(null) as Record<string, ErrorClass>, {
    Cancelled: CancelledError,
    Disposed: DisposedError,
    Format: FormatError,
    InvalidArgument: InvalidArgumentError,
    Level: LevelError,
    Memory: MemoryError,
    MissingKey: MissingKeyError,
    ParameterMismatch: ParameterMismatchError,
    Scale: ScaleError,
    Security: SecurityError,
    Unsupported: UnsupportedError,
  }),
)
