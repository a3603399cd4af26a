/** Neurons of an encrypted run against those of the clear network: spikes, membranes, and how far every decision was from a wrong one. */
import type { Grid } from '@he-ml/model/spiking'
import type { Cell } from './cells.ts'
import type { ClearNeurons } from './clear-neurons.ts'
import type { DecryptedValues } from './decrypted-values.ts'

/** One layer over all time steps. */
export interface LayerLook {
  readonly name: string
  readonly neurons: number
  readonly timeSteps: number
  readonly threshold: number
  /** Only where encrypted neurons decide on it. */
  readonly grid?: Grid
  /** [timeSteps, neurons], 1 where a neuron fired; decrypted and rounded. */
  readonly encrypted: Uint8Array
  /** The same of the clear network. */
  readonly clear: Uint8Array
  /** Neuron-steps that were decrypted, and those of them whose spike is not the clear network's. */
  readonly seen: number
  readonly differing: number
  /** By time step. */
  readonly drift: readonly Drift[]
  /** Distances of charged membranes from their points of the grid, in steps of it; a wrong spike begins at 1/2. Empty without a grid. */
  readonly distances: Float64Array
}

/** Root mean square differences at one time step, in the units of the model; what is no value of the program is absent. */
export interface Drift {
  /** From the clear network: membranes with their current, before the decision. */
  readonly charged?: number
  /** From the clear network: membranes after reset and drift. */
  readonly membranes?: number
  /** From the functions that encryption evaluates, in the clear: what encryption alone costs the charged membranes. */
  readonly encryption?: number
}

/**
 * In the order of the layers.
 *
 * @param clear of the same input
 * @param exact spikes are decided on the layers' grids
 */
export function examine(
  clear: readonly ClearNeurons[],
  cells: readonly Cell[],
  values: DecryptedValues,
  exact: boolean,
): LayerLook[] {
  return clear.map((layer) => {
    const { name, neurons, threshold, grid, steps } = layer
    const own = steps.map((_, step) => cells.find((cell) => cell.layer === name && cell.step === step))
    const spikes = own.map((cell) => values.get(cell?.spike)?.encrypted.map((s) => (s > 0.5 ? 1 : 0)))
    const differing = spikes.map((row, t) => row?.filter((s, i) => s !== steps[t]!.spikes[i]).length ?? 0)
    const charges = own.map((cell, t) => chargesOf(layer, t, cell, values))
    const onGrid = exact ? grid : undefined
    return {
      ...{ name, neurons, timeSteps: steps.length, threshold },
      ...(onGrid ? { grid: onGrid } : {}),
      encrypted: Uint8Array.from(spikes.flatMap((row) => [...(row ?? new Float64Array(neurons))])),
      clear: Uint8Array.from(steps.flatMap((row) => [...row.spikes])),
      seen: neurons * spikes.filter((row) => row !== undefined).length,
      differing: differing.reduce((a, b) => a + b, 0),
      drift: charges.map((charge, t) => driftAt(layer, t, charge, own[t], values)),
      distances: Float64Array.from(
        onGrid ? charges.flatMap((charge) => [...(charge?.difference ?? [])].map((d) => d / onGrid.step)) : [],
      ),
    }
  })
}

/** Differences of charged membranes from the clear network's, and from what encryption should compute. */
interface Charges {
  readonly difference: Float64Array
  readonly encryption: Float64Array
}

function chargesOf(
  { start, steps }: ClearNeurons,
  step: number,
  cell: Cell | undefined,
  values: DecryptedValues,
): Charges | undefined {
  const current = values.get(cell?.current)
  const carried = values.get(cell?.carried)
  if (!current || (cell?.carried !== undefined && !carried)) return undefined
  const { charged } = steps[step]!
  const sum = (which: 'encrypted' | 'clear') =>
    current[which].map((x, i) => x + (carried === undefined ? start : carried[which][i]!))
  const [encrypted, wanted] = [sum('encrypted'), sum('clear')]
  return {
    difference: encrypted.map((v, i) => v - charged[i]!),
    encryption: encrypted.map((v, i) => v - wanted[i]!),
  }
}

function driftAt(
  { steps }: ClearNeurons,
  step: number,
  charges: Charges | undefined,
  cell: Cell | undefined,
  values: DecryptedValues,
): Drift {
  const membranes = values.get(cell?.membrane)?.encrypted.map((m, i) => m - steps[step]!.membranes[i]!)
  return {
    ...(charges ? { charged: rms(charges.difference), encryption: rms(charges.encryption) } : {}),
    ...(membranes ? { membranes: rms(membranes) } : {}),
  }
}

/** Root mean square. */
export const rms = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length)

/** How charged membranes scatter around their points, in steps of their grids. */
export interface Scatter {
  readonly count: number
  /** Root mean square. */
  readonly deviation: number
  readonly furthest: number
  /** How many are half a step off or more: beside the threshold such a neuron decides wrongly. */
  readonly beyond: number
}

/** Of all layers; undefined where nothing was decided on a grid. */
export function scatterOf(layers: readonly LayerLook[]): Scatter | undefined {
  const all = layers.flatMap(({ distances }) => [...distances].map(Math.abs))
  if (all.length === 0) return undefined
  return {
    count: all.length,
    deviation: rms(all),
    furthest: all.reduce((most, d) => Math.max(most, d), 0),
    beyond: all.filter((d) => !(d < 0.5)).length,
  }
}
