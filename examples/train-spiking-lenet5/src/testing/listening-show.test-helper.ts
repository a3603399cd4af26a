import type { TrainingProgress } from '@he-ml/snn-training'
import type { Show } from '../show.ts'

/** A show that keeps what it is told. */
export function listeningShow(onProgress: (progress: TrainingProgress) => void = () => {}) {
  const [lines, notices]: string[][] = [[], []]
  const show: Show = {
    line: (text) => lines!.push(text),
    notice: (text) => notices!.push(text),
    training: () => ({ update: onProgress, stop() {} }),
    count: () => ({ update() {}, stop() {} }),
  }
  return { show, lines: lines!, notices: notices! }
}
