import { CancelledError } from '@he-ml/ckks-core'

/** An AbortSignal that Ctrl-C and SIGTERM trigger; a second Ctrl-C ends the process at once. */
export function interruptSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\ncancelling; once more to stop at once\n')
    controller.abort(new CancelledError('interrupted'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
