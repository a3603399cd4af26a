/** Progress of long work: a bar with an estimate on a terminal, a plain line now and then otherwise; always on stderr. */
import cliProgress from 'cli-progress'

export interface ProgressReport {
  /** 0 to 1. */
  update(fraction: number, detail?: string): void
  stop(): void
}

const PLAIN_INTERVAL = 2000

/** A report that shows at its first update; `quiet` makes it silent. */
export function startProgress(title: string, quiet: boolean): ProgressReport {
  if (quiet) return { update: () => {}, stop: () => {} }
  return process.stderr.isTTY ? bar(title) : lines(title)
}

function bar(title: string): ProgressReport {
  const started = performance.now()
  const one = new cliProgress.SingleBar(
    {
      format: `${title} [{bar}] {percentage}% | {left} | {detail}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: false,
      barCompleteChar: '=',
      barIncompleteChar: ' ',
    },
    cliProgress.Presets.legacy,
  )
  let drawn = false
  return {
    update(fraction, detail = '') {
      if (!drawn) one.start(1000, 0, { left: 'starting', detail: '' })
      drawn = true
      one.update(Math.round(fraction * 1000), { left: remaining(started, fraction), detail })
    },
    stop() {
      if (drawn) one.stop()
      drawn = false
    },
  }
}

function lines(title: string): ProgressReport {
  const started = performance.now()
  let last = Number.NEGATIVE_INFINITY
  let previous = -1
  const say = (fraction: number, detail: string) => {
    previous = fraction
    process.stderr.write(
      `${title}: ${Math.round(fraction * 100)} % (${remaining(started, fraction)})${detail ? ` ${detail}` : ''}\n`,
    )
  }
  return {
    update(fraction, detail = '') {
      const now = performance.now()
      if (fraction < 1 && now - last < PLAIN_INTERVAL) return
      if (fraction === previous) return
      last = now
      say(fraction, detail)
    },
    stop: () => {},
  }
}

function remaining(started: number, fraction: number): string {
  const elapsed = (performance.now() - started) / 1000
  if (fraction >= 1) return `${elapsed.toFixed(1)} s`
  if (fraction < 0.02) return 'estimating'
  return `${((elapsed * (1 - fraction)) / fraction).toFixed(0)} s left`
}
