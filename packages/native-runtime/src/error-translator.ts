/** Errors of compiled code carry a `code`; this turns them into the caller's own classes of that code. */

/** A class of typed errors. */
export type ErrorClass<E extends Error = Error> = new (message: string, options?: ErrorOptions) => E

/** Runs calls of compiled code with typed errors. */
export interface ErrorTranslator {
  /** The typed error for one that was thrown; one that is typed already is returned as it is. */
  typedError(error: unknown): Error
  /** What the call returns; its errors are typed. */
  native<T>(call: () => T): T
  /** The same for a promise. */
  nativeAsync<T>(call: () => Promise<T>): Promise<T>
}

/**
 * Makes errors of compiled code typed: those with a code of ours get its class, with the same message.
 *
 * @param classes by code; every other code, and none, goes to `otherwise`
 * @param base what all typed errors are instances of
 */
export function createErrorTranslator(
  classes: Readonly<Record<string, ErrorClass>>,
  base: abstract new (...args: never[]) => Error,
  otherwise: (message: string, cause: Error) => Error,
): ErrorTranslator {
  const typedError = (thrown: unknown): Error => {
    if (!(thrown instanceof Error) || thrown instanceof base)
      return thrown instanceof Error ? thrown : new Error(String(thrown))
    const error = thrown as Error & { readonly code?: string }
    const { code } = error
    const Class = code !== undefined && Object.hasOwn(classes, code) ? classes[code] : undefined
    return Class ? new Class(error.message, { cause: error }) : otherwise(error.message, error)
  }
  return {
    typedError,
    native(call) {
      try {
        return call()
      } catch (error) {
        throw typedError(error)
      }
    },
    async nativeAsync(call) {
      try {
        return await call()
      } catch (error) {
        throw typedError(error)
      }
    },
  }
}
