/**
 * Insecure parameters stay out of files. A writer refuses them and a reader refuses them, and what a test wrote through
 * {@link insecureParametersWithFiles} says so in its header, so that no reader that did not ask for it takes it for a key.
 */
import { FormatError, SecurityError } from '../errors/errors.ts'
import { type AnyParameters, isSecure } from '../parameters/parameters.ts'
import type { FileHeader } from './header.ts'

/**
 * Throws unless files may be made under these parameters.
 * @param what what was to be written or read, for the message
 * @throws SecurityError for InsecureParameters that were not made by `insecureParametersWithFiles`
 */
export function assertFileParameters(parameters: AnyParameters, what: string): void {
  if (isSecure(parameters) || parameters.insecureFiles) return
  throw new SecurityError(
    `${what}: insecure parameters stay out of files: use createParameters, or in tests insecureParametersWithFiles`,
  )
}

/** The mark that a header under these parameters must carry. */
export const insecureMark = (parameters: AnyParameters): { readonly insecure?: true } =>
  isSecure(parameters) ? {} : { insecure: true }

/** @throws SecurityError for a file of insecure parameters that the reader did not ask for; FormatError for a missing mark */
export function checkFileSecurity(header: FileHeader, parameters: AnyParameters | undefined): void {
  if (parameters) assertFileParameters(parameters, `a file of kind ${header.kind}`)
  const marked = header.insecure === true
  if (marked && (!parameters || isSecure(parameters)))
    throw new SecurityError(
      `header.insecure: the file was made under insecure parameters (${header.parameters}), for a test: it protects nothing`,
    )
  if (!marked && parameters && !isSecure(parameters))
    throw new FormatError('header.insecure: expected the mark of insecure parameters, got none')
}
