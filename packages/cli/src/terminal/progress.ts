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

/** Bars that are drawn now: a process that ends without stopping them gives the cursor back. */
const drawn = new Set<cliProgress.SingleBar>()
process.on('exit', () => {
  for (const one of drawn) one.stop()
})

function bar(title: string): ProgressReport {
  const started = performance.now()
  const { bar: barsize, detail: room } = columnsFor(title, process.stderr.columns)
  const one = new cliProgress.SingleBar(
    {
      format: `${title} [{bar}] {percentage}% {left}{detail}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: false,
      barCompleteChar: '=',
      barIncompleteChar: ' ',
      barsize,
    },
    cliProgress.Presets.legacy,
  )
  const shortened = (detail: string): string =>
    room < 4 || detail === '' ? '' : ` ${detail.length < room ? detail : `${detail.slice(0, room - 3)}..`}`
  return {
    update(fraction, detail = '') {
      if (!drawn.has(one)) one.start(1000, 0, { left: 'starting', detail: '' })
      drawn.add(one)
      one.update(Math.round(fraction * 1000), { left: remaining(started, fraction), detail: shortened(detail) })
    },
    stop() {
      if (drawn.delete(one)) one.stop()
    },
  }
}

/** The longest `remaining`: "123456 s left". */
const LEFT = 13

/**
 * How long a bar and what is at work may be on a line of so many columns: a terminal that is narrower than its text would get a new line at
 * each update. @internal
 */
export function columnsFor(title: string, columns = 80): { readonly bar: number; readonly detail: number } {
  const free = columns - 1 - title.length - ' [] 100% '.length - LEFT
  const bar = Math.max(1, Math.min(30, Math.floor(free / 2)))
  return { bar, detail: Math.max(0, free - bar) }
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
