import { startBar } from '@he-ml/example-lenet5/progress'

export { startBar }
/** A bar of a title, which somebody updates and stops; tests have silent ones. */
export type StartBar = typeof startBar

/** A bar that stops however its block is left, once. */
export function stopping(bar: ReturnType<StartBar>): ReturnType<StartBar> & Disposable {
  let stopped = false
  const stop = () => {
    if (!stopped) bar.stop()
    stopped = true
  }
  return { update: (fraction, detail) => bar.update(fraction, detail), stop, [Symbol.dispose]: stop }
}
