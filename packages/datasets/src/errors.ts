/** Bytes that are not a well-formed data set file, or a folder without one. The message says what was wanted and got, and where. */
export class DatasetFormatError extends Error {
  /** Stable identifier, as the other packages' errors have it. */
  readonly code = 'Format'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatasetFormatError'
  }
}

/** A sound file of a kind that is not read here, or larger than a limit allows. The message says which, and what to do. */
export class DatasetUnsupportedError extends Error {
  /** Stable identifier, as the other packages' errors have it. */
  readonly code = 'Unsupported'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatasetUnsupportedError'
  }
}

/** A path that the system does not let us read (nothing there, a folder, no permission). The cause is the system's own error. */
export class DatasetFileError extends Error {
  /** The file or folder that was to be read. */
  readonly path: string
  /** The system's code and the call that failed, as Node's own errors have them: "EISDIR", "read". */
  readonly code: string
  /** The call that failed: "open", "read". */
  readonly syscall: string
  constructor(
    where: { readonly path: string; readonly code: string; readonly syscall: string },
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'DatasetFileError'
    this.path = where.path
    this.code = where.code
    this.syscall = where.syscall
  }
}
