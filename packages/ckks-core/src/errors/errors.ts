/**
 * Every failure of the stack is one of these classes. A message says what was wanted, what was got, where, and what to do;
 * `code` is stable and meant for programs (the command line maps it to an exit code).
 */
export class HeMlError extends Error {
  /** Stable identifier of the kind of failure. */
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** An argument outside its documented range or shape. */
export class InvalidArgumentError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('InvalidArgument', message, options)
  }
}

/** A ciphertext has too few levels left, or two operands stand at different levels. */
export class LevelError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Level', message, options)
  }
}

/** Two operands carry scales that may not be added, or a scale does not fit the modulus. */
export class ScaleError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Scale', message, options)
  }
}

/** An operation needs an evaluation key that was not loaded, or only at a lower level. */
export class MissingKeyError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('MissingKey', message, options)
  }
}

/** Objects made under different parameters, plans or engines met. */
export class ParameterMismatchError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('ParameterMismatch', message, options)
  }
}

/** Parameters, or a key's own modulus, offer less than 128-bit security; or a result may not be published. */
export class SecurityError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Security', message, options)
  }
}

/** Bytes that are not a well-formed file or message of ours. */
export class FormatError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Format', message, options)
  }
}

/** Not enough memory for what was asked; said before the work starts where that can be known. */
export class MemoryError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Memory', message, options)
  }
}

/** An object was used after its `dispose()`. */
export class DisposedError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Disposed', message, options)
  }
}

/** The work was cancelled by its AbortSignal. */
export class CancelledError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Cancelled', message, options)
  }
}

/** Something valid in itself that this engine, layout or importer cannot do; the message names what could replace it. */
export class UnsupportedError extends HeMlError {
  constructor(message: string, options?: ErrorOptions) {
    super('Unsupported', message, options)
  }
}

/**
 * A plan cannot be made. `reason` says why: not enough levels, memory or security, a range that is not known or too large, a
 * shape that does not fit, too little precision, or a value that says nothing of the input.
 */
export class PlanError extends HeMlError {
  /** Why there is none; see above. */
  readonly reason: 'levels' | 'memory' | 'security' | 'range' | 'shape' | 'precision' | 'constant'
  constructor(reason: PlanError['reason'], message: string, options?: ErrorOptions) {
    super('Plan', message, options)
    this.reason = reason
  }
}

/**
 * The file system said no: no such file, not allowed, a folder where a file should be, a full disk. The message starts with
 * the path; `systemCode` is the system's own name of the failure.
 */
export class FileSystemError extends HeMlError {
  /** Of the file or folder. */
  readonly path: string
  /** ENOENT, EACCES, EISDIR, ENOSPC, ... */
  readonly systemCode: string
  constructor(path: string, systemCode: string, message: string, options?: ErrorOptions) {
    super('FileSystem', `${path}: ${message} (${systemCode})`, options)
    this.path = path
    this.systemCode = systemCode
  }
}
