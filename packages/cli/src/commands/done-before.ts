/** What a command of several inputs had done when it failed: beside the error in the document of `--json`, for whoever goes on. */
const done = new WeakMap<object, readonly unknown[]>()

/** Does the work; of a failure `doneBefore` then tells the results. @param results grows as the work goes on */
export async function rememberDone<T>(results: readonly unknown[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    if (typeof failure === 'object' && failure !== null) done.set(failure, results)
    throw failure
  }
}

/** The results of a command that was to have several; undefined for any other failure. */
export const doneBefore = (failure: unknown): readonly unknown[] | undefined =>
  typeof failure === 'object' && failure !== null ? done.get(failure) : undefined
