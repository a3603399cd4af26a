/** How training stands: a bar on a terminal, a plain line every few seconds elsewhere; at the end of every epoch a line stays. */
import type { TrainingProgress } from '@he-ml/snn-training'
import cliProgress from 'cli-progress'
import { type Output, percent, time } from './text.ts'

/** Shows a run's progress. */
export interface TrainingBar {
  /** For `train`'s option onProgress. */
  update(progress: TrainingProgress): void
  /** Takes the bar away; call it however training ended. */
  stop(): void
}

export interface TrainingBarOptions {
  /** What is trained. */
  readonly title: string
  /** Default: the process's standard output. */
  readonly output?: Output
  /** Seconds between lines where there is no terminal; default 10. */
  readonly everySeconds?: number
}

/** A bar for one run of `train`. */
export function trainingBar({ title, output = process.stdout, everySeconds = 10 }: TrainingBarOptions): TrainingBar {
  const say = (text: string) => output.write(`${text}\n`)
  const moving = output.isTTY ? movingBar(title, output) : plainLines(title, say, everySeconds)
  return {
    update(progress) {
      if (!progress.finished) return moving.update(progress)
      moving.stop()
      say(`  ${title}  ${epochLine(progress)}`)
    },
    stop: () => moving.stop(),
  }
}

/** What stays of an epoch. */
function epochLine({ epoch, epochs, learningRate, secondsLeft, finished }: TrainingProgress): string {
  const numbers = ({ loss, accuracy }: { loss: number; accuracy: number }) =>
    `loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}`
  const validation = finished!.validation ? `; validation ${numbers(finished!.validation)}` : ''
  const left = epoch + 1 < epochs ? `; ${time(secondsLeft)} left` : ''
  return `epoch ${epoch + 1}/${epochs}: ${numbers(finished!)}${validation}; rate ${rate(learningRate)}${left}`
}

const rate = (learningRate: number) => (learningRate === 0 ? '0' : learningRate.toExponential(1))

function movingBar(title: string, output: Output): TrainingBar {
  let bar: cliProgress.SingleBar | undefined
  return {
    update({ epoch, epochs, step, steps, loss, accuracy, learningRate, secondsLeft }) {
      const values = {
        epoch: `${epoch + 1}/${epochs}`,
        loss: loss.toFixed(4),
        accuracy: percent(accuracy),
        rate: rate(learningRate),
        left: time(secondsLeft),
      }
      if (!bar) {
        const format = `  ${title}  epoch {epoch} [{bar}] loss {loss}  {accuracy}  rate {rate}  {left} left`
        bar = new cliProgress.SingleBar(
          { format, barsize: 24, hideCursor: true, clearOnComplete: true, stream: output, gracefulExit: false },
          cliProgress.Presets.legacy,
        )
        bar.start(steps, step, values)
      } else bar.update(step, values)
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}

function plainLines(title: string, say: (text: string) => void, everySeconds: number): TrainingBar {
  let next = performance.now() + 1000 * everySeconds
  return {
    update({ epoch, epochs, step, steps, loss, accuracy, learningRate, secondsLeft }) {
      if (performance.now() < next) return
      next = performance.now() + 1000 * everySeconds
      say(
        `  ${title}  epoch ${epoch + 1}/${epochs}, step ${step} of ${steps}: loss ${loss.toFixed(4)}, ` +
          `accuracy ${percent(accuracy)}; rate ${rate(learningRate)}; ${time(secondsLeft)} left`,
      )
    },
    stop() {},
  }
}
