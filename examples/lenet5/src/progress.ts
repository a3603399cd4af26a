/** A bar on a terminal, a few plain lines elsewhere. */
import cliProgress from 'cli-progress'

export interface Bar {
  update(fraction: number, detail?: string): void
  stop(): void
}

export function startBar(title: string): Bar {
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const estimate = (fraction: number) =>
    fraction >= 1
      ? `${seconds().toFixed(1)} s`
      : fraction < 0.02
        ? ''
        : `${((seconds() * (1 - fraction)) / fraction).toFixed(0)} s left`
  if (!process.stdout.isTTY) {
    let next = 0
    return {
      update(fraction, detail = '') {
        if (fraction < next && fraction < 1) return
        next = Math.min(1.01, Math.floor(fraction * 4 + 1) / 4)
        console.log(`  ${title}: ${Math.round(fraction * 100)} % ${estimate(fraction)} ${detail}`.trimEnd())
      },
      stop() {},
    }
  }
  const bar = new cliProgress.SingleBar(
    { format: `  ${title.padEnd(20)} [{bar}] {percentage}% {estimate} {detail}`, hideCursor: true, barsize: 28 },
    cliProgress.Presets.legacy,
  )
  bar.start(1000, 0, { estimate: '', detail: '' })
  return {
    update: (fraction, detail = '') =>
      bar.update(Math.round(fraction * 1000), { estimate: estimate(fraction), detail }),
    stop: () => bar.stop(),
  }
}
