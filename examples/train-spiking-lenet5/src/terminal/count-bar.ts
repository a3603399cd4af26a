import cliProgress from 'cli-progress'
import type { Output } from './text.ts'

/** Shows how many of a known number are done. */
export interface CountBar {
  /** For options called onProgress. */
  update(done: number, total: number): void
  /** Call it however the work ended. */
  stop(): void
}

export interface CountBarOptions {
  /** What is counted. */
  readonly title: string
  /** Default: the process's standard output. */
  readonly output?: Output
  /** Seconds between lines where there is no terminal; default 10. */
  readonly everySeconds?: number
}

/** A bar on a terminal, a plain line every few seconds elsewhere. Nothing is shown of work that never began. */
export function countBar({ title, output = process.stdout, everySeconds = 10 }: CountBarOptions): CountBar {
  let bar: cliProgress.SingleBar | undefined
  let next = performance.now() + 1000 * everySeconds
  return {
    update(done, total) {
      if (output.isTTY) {
        if (!bar) {
          const format = `  ${title} [{bar}] {value} of {total}, {eta_formatted} left`
          bar = new cliProgress.SingleBar(
            { format, barsize: 24, hideCursor: true, stream: output, gracefulExit: false },
            cliProgress.Presets.legacy,
          )
          bar.start(total, done)
        } else bar.update(done)
      } else if (done === total || performance.now() >= next) {
        next = performance.now() + 1000 * everySeconds
        output.write(`  ${title}: ${done} of ${total}\n`)
      }
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}
