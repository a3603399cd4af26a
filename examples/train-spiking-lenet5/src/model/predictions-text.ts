import type { Prediction } from './examine.ts'

/** A table in CSV for other programs: a line per sample with its number, label, answer, and the score of every class. */
export function predictionsText(predictions: readonly Prediction[]): string {
  const classes = predictions[0]?.scores.length ?? 0
  const head = ['index', 'label', 'answer', ...Array.from({ length: classes }, (_, c) => `score${c}`)]
  const rows = predictions.map(({ index, label, answer, scores }) => [index, label, answer, ...scores])
  return [head, ...rows].map((cells) => `${cells.join(',')}\n`).join('')
}
