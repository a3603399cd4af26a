/**
 * A neuron's time step by functional bootstrapping: the charge is an addition, spike and membrane come out of one refresh, as
 * functions of the charged membrane potential. Any reset and any drift cost the same, and no factor costs a level. Two ciphertexts
 * travel as one.
 */
import {
  type Ciphertext,
  GridFunction,
  type PeriodicFunction,
  type Plaintext,
  scope,
  UnsupportedError,
} from '@he-ml/ckks-core'
import type { Neuron } from '@he-ml/model/spiking'
import {
  type CircuitContext,
  createMultiOutputLowered,
  type LoweredLayer,
  liesAlike,
  type MultiplexedLayout,
  type SlotLayout,
} from '@he-ml/packing'
import { driftFromZero } from '@he-ml/snn-neurons'
import { encodeMasks } from './element-masks.ts'
import type { ExactStep } from './spike-step.ts'

export interface ExactCircuit {
  readonly name: string
  readonly neuron: Neuron
  readonly step: ExactStep
  readonly membraneFactor: number
  readonly spikeFactor: number
}

/** Shortest period that functional bootstrapping circuits are made for. */
const FEWEST_SLOTS = 16

/** Spike and membrane of a step. @throws UnsupportedError when current and membrane do not lie alike */
export function lowerExact(circuit: ExactCircuit, inputs: readonly SlotLayout[]): LoweredLayer {
  const { step, membraneFactor, spikeFactor } = circuit
  const { spike, membrane } = step.functions({ spike: spikeFactor, membrane: membraneFactor })
  return lowerFunctions(circuit, inputs, [spike, membrane])
}

/** Spikes of several steps with one current. */
export function lowerOverSteps(circuit: ExactCircuit, inputs: readonly SlotLayout[], steps: number): LoweredLayer {
  return lowerFunctions(circuit, inputs, circuit.step.overSteps(steps, circuit.spikeFactor))
}

function lowerFunctions(
  { name, neuron, step, membraneFactor }: ExactCircuit,
  inputs: readonly SlotLayout[],
  functions: readonly PeriodicFunction[],
): LoweredLayer {
  const [current, membrane] = inputs as [SlotLayout, SlotLayout?]
  if (membrane && !liesAlike(current, membrane))
    throw new UnsupportedError(
      `layer "${name}": its current and its membrane lie in different slots: lower what makes the current with the membrane's layout as LowerContext.prefer, or use the batch layout`,
    )
  const masked = inputs.some((layout) => layout.kind === 'multiplexed' && layout.grid.gaps === 'any')
  const { ciphertexts, slots } = current
  const work: Work = {
    functions,
    period: step.period * membraneFactor,
    start: driftFromZero(neuron) * membraneFactor,
    load: ciphertexts > 1 ? 2 : 1,
  }
  const output: SlotLayout =
    current.kind === 'multiplexed' ? { ...current, grid: { ...current.grid, gaps: 'bounded' } } : current
  return createMultiOutputLowered({
    name,
    inputs,
    outputs: functions.map(() => output),
    depth: masked ? 1 : 0,
    refresh: {
      slots: Math.max(FEWEST_SLOTS, slots),
      content: work.load === 2 ? 'complex' : 'real',
      period: work.period,
      points: Math.max(...functions.map((f) => (f instanceof GridFunction ? f.points : 0))),
      functionLevels: functions.reduce((most, { depth }) => Math.max(most, depth), 0),
      ciphertexts,
    },
    prepare: async ({ engine, level, weights }) => {
      const masks = masked ? encodeMasks(current as MultiplexedLayout, engine, level) : []
      for (const mask of masks) weights.use(mask)
      return (context) => evaluate(context, work, masks)
    },
  })
}

interface Work {
  readonly functions: readonly PeriodicFunction[]
  /** As values are held. */
  readonly period: number
  /** What is left of a membrane at 0, where every neuron starts; as values are held. */
  readonly start: number
  /** Ciphertexts that travel as one. */
  readonly load: 1 | 2
}

/** All ciphertexts, one bootstrap after another: for each function its results. */
async function evaluate(
  { engine, inputs: [currents, membranes], pacer, temporaries, refresh }: CircuitContext,
  { functions, period, start, load }: Work,
  masks: readonly Plaintext[],
): Promise<Ciphertext[][]> {
  const circuit = refresh()
  const charge = (i: number): Ciphertext =>
    scope((use) => {
      const current = currents![i]!
      const membrane = membranes?.[i]
      const charged = membrane ? engine.add(membrane, current) : engine.addScalar(current, start)
      const mask = masks[i]
      return mask ? engine.rescale(use(engine.mulPlain(use(charged), mask))) : charged
    })
  const results = functions.map((): Ciphertext[] => [])
  let before: Ciphertext | undefined
  for (let i = 0; i < currents!.length; i += load) {
    // temporaries of two bootstraps need not live at the same time
    await before?.ready()
    await pacer.step()
    using first = charge(i)
    using second = load === 2 && i + 1 < currents!.length ? charge(i + 1) : undefined
    for (const made of circuit.evaluateReal(engine, second ? [first, second] : [first], functions, { period }))
      for (const [k, y] of made.entries()) results[k]!.push(temporaries.use(y))
    before = results[0]!.at(-1)
  }
  return results
}
