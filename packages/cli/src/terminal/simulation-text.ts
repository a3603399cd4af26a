import type { SimulationReport } from '@he-ml/pipeline'
import { table } from './output.ts'

/** Indices told by name; more are counted. */
const NAMED = 12

/** A simulation as a person wants to read it. */
export function simulationText(report: SimulationReport): string[] {
  const { samples, agreement, accuracy, differing, undecided, outputs, layers } = report
  const least = (bits: readonly number[]) => bits.reduce((a, b) => Math.min(a, b), Infinity)
  return [
    `${samples} samples`,
    ...(accuracy
      ? [`  accuracy ${percent(accuracy.exact)} in the clear, ${percent(accuracy.planned)} as planned`]
      : []),
    ...(agreement === undefined
      ? []
      : [
          `  ${percent(agreement)} answered as the network does${differing.length > 0 ? `; otherwise: ${named(differing)}` : ''}`,
          `  ${undecided.length === 0 ? 'no answer' : `${undecided.length} answers (${named(undecided)})`} so close that encryption's noise may turn ${undecided.length === 0 ? 'it' : 'them'}`,
        ]),
    `  of each output's range, at least: ${bitsText(least(outputs.polynomialBits))} bits left by polynomials, ${bitsText(least(outputs.noiseBits))} by encryption`,
    ...(layers.length === 0 ? [] : ['', ...layerTable(layers)]),
  ]
}

const layerTable = (layers: SimulationReport['layers']): string[] =>
  table(
    ['layer', 'kind', 'rms error', 'worst', 'results from', 'to', 'outside %', 'furthest %'],
    layers.map((l) => [
      l.name,
      l.kind,
      Number(l.rmsError.toPrecision(3)),
      Number(l.worstError.toPrecision(3)),
      Number(l.range[0].toPrecision(3)),
      Number(l.range[1].toPrecision(3)),
      Number((100 * l.outside).toPrecision(3)),
      Number((100 * l.furthest).toPrecision(3)),
    ]),
  )

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
const bitsText = (bits: number): string => (Number.isFinite(bits) ? bits.toFixed(1) : 'all')
const named = (indices: readonly number[]): string =>
  `${indices.slice(0, NAMED).join(', ')}${indices.length > NAMED ? ` and ${indices.length - NAMED} more` : ''}`
