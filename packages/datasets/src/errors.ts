/** Bytes that are not a well-formed data set file, or a folder without one. The message says what was wanted and got, and where. */
export class DatasetFormatError extends Error {
  /** Stable identifier, as the other packages' errors have it. */
  readonly code = 'Format'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatasetFormatError'
  }
}
