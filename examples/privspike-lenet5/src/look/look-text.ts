import { type Drift, type LayerLook, scatterOf } from './examine.ts'

/**
 * What a look into a run has found, a line each.
 * @param decisionMargin as planned, in standard deviations; absent for soft spikes
 */
export function lookText(layers: readonly LayerLook[], decisionMargin?: number): string[] {
  const sum = (of: (layer: LayerLook) => number) => layers.reduce((total, layer) => total + of(layer), 0)
  const [seen, differing] = [sum((layer) => layer.seen), sum((layer) => layer.differing)]
  return [
    `spikes as in the clear network: ${agreement(seen, differing)} neuron-steps`,
    ...layers.map(layerText),
    ...scatterText(layers, decisionMargin),
  ]
}

function layerText({ name, neurons, seen, differing, drift, grid, threshold }: LayerLook): string {
  const [unit, called] = grid ? [grid.step, 'steps of the grid'] : [threshold, 'thresholds']
  const series = (what: keyof Drift, label: string) => {
    const known = drift.map((one) => one[what])
    if (known.every((value) => value === undefined)) return ''
    const text = known.map((value) => (value === undefined ? '-' : (value / unit).toPrecision(2)))
    return `; ${label} ${text.join(', ')}`
  }
  const off = `${series('charged', 'charges off by')}${series('membranes', 'membranes kept by')}`
  return `  ${name}, ${neurons} neurons: ${agreement(seen, differing)}${off}${off && ` ${called}`}`
}

const agreement = (seen: number, differing: number): string =>
  `${seen - differing} of ${seen} (${((100 * (seen - differing)) / seen).toFixed(differing === 0 ? 0 : 2)} %)`

/** Distances from the points of the grids, measured and planned. */
export function scatterText(layers: readonly LayerLook[], decisionMargin?: number): string[] {
  const scatter = scatterOf(layers)
  if (!scatter) return []
  const { count, deviation, furthest, beyond } = scatter
  return [
    `charges before their refresh: ${deviation.toPrecision(2)} steps from their points (root mean square),`,
    `the furthest ${furthest.toPrecision(2)}; ${beyond} of ${count} beyond 1/2, where a neuron at its threshold decides wrongly`,
    ...(decisionMargin === undefined
      ? []
      : [
          `planned: a standard deviation of ${(0.5 / decisionMargin).toPrecision(2)} steps, the refresh's own errors counted in`,
        ]),
  ]
}
