/** Returns a function to await inside long loops: lets the event loop turn when `budget` milliseconds have passed. */
export function breathe(budget = 8): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < budget) return undefined
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now()
        resolve()
      }),
    )
  }
}
