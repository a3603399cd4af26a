/**
 * A neuron's time step by functional bootstrapping: the charge is an addition, spike and membrane come out of one refresh, as
 * functions of the charged membrane potential. Any reset and any drift cost the same, and no factor costs a level.
 */
import type { GridFunction } from '@he-ml/ckks-core'
import type { Neuron } from '@he-ml/model/spiking'
import type { RefreshCell, SlotLayout } from '@he-ml/packing'
import type { ExactStep } from './spike-step.ts'

export interface ExactCircuit {
  readonly name: string
  readonly neuron: Neuron
  readonly step: ExactStep
  readonly membraneFactor: number
  readonly spikeFactor: number
}

/** Spike and membrane of a step. */
export function exactCell(circuit: ExactCircuit, inputs: readonly SlotLayout[]): RefreshCell {
  const { step, membraneFactor, spikeFactor } = circuit
  const { spike, membrane } = step.functions({ spike: spikeFactor, membrane: membraneFactor })
  return { ...cellOf(circuit, inputs, [spike, membrane]), carried: [membrane] }
}

/** Spikes alone. */
export function lastStepCell(circuit: ExactCircuit, inputs: readonly SlotLayout[]): RefreshCell {
  const { spike } = circuit.step.functions({ spike: circuit.spikeFactor, membrane: circuit.membraneFactor })
  return cellOf(circuit, inputs, [spike])
}

/** Spikes of several steps with one current. */
export const overStepsCell = (circuit: ExactCircuit, inputs: readonly SlotLayout[], steps: number): RefreshCell =>
  cellOf(circuit, inputs, circuit.step.overSteps(steps, circuit.spikeFactor))

const cellOf = (
  { name, step, membraneFactor }: ExactCircuit,
  inputs: readonly SlotLayout[],
  functions: readonly GridFunction[],
): RefreshCell => ({
  name,
  inputs,
  start: step.start * membraneFactor,
  period: step.period * membraneFactor,
  beyond: step.beyond,
  functions,
  points: Math.max(...functions.map(({ points }) => points)),
})
