/**
 * Neurons whose current is the same at every time step: the T spikes of each are T functions of that one number, whatever the neuron and its
 * reset. One refresh gives them all.
 */
import { contentHash, InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, digestText, type MultiOutputLayer, type Shape, type Tensor } from '@he-ml/model'
import { type Lowerable, type LoweredLayer, lowerRefresh, type RefreshCell, type SlotLayout } from '@he-ml/packing'
import { type ExactCircuit, overStepsCell } from './exact-cell.ts'
import { refuseChannels } from './refuse-channels.ts'

/** One input, the current; outputs `spike@0`, `spike@1`, ... Made by {@link SpikingLayer.overSteps}. */
export class SpikingOverSteps implements MultiOutputLayer, Lowerable {
  readonly kind = 'spiking'
  readonly arity = 1
  readonly gapSensitive = true
  readonly refreshes = true
  readonly outputs: readonly string[]
  readonly #circuit: ExactCircuit

  constructor(circuit: ExactCircuit, steps: number) {
    this.#circuit = circuit
    this.outputs = Array.from({ length: steps }, (_, step) => `spike@${step}`)
  }

  get name(): string {
    return this.#circuit.name
  }
  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [current] = inputs
    if (!current || inputs.length > 1)
      throw new InvalidArgumentError(`layer "${this.name}": expected one current, got ${inputs.length}`)
    return this.outputs.map(() => current)
  }
  forwardAll(inputs: readonly Tensor[]): readonly Tensor[] {
    const { step, membraneFactor, spikeFactor } = this.#circuit
    const [current] = inputs as [Tensor]
    this.outputShapes(inputs.map((t) => t.shape))
    return step.overSteps(this.outputs.length, spikeFactor).map((f) =>
      createTensor(
        current.shape,
        current.data.map((x) => f.at((x / membraneFactor + step.start) / step.period)),
      ),
    )
  }
  digestParts(): readonly Uint8Array[] {
    const { neuron, step, membraneFactor, spikeFactor } = this.#circuit
    const about = { neuron, step: step.form, membraneFactor, spikeFactor, steps: this.outputs.length }
    return [digestText(contentHash(JSON.parse(JSON.stringify(about))))]
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    this.outputShapes(inputs.map(({ shape }) => shape))
    refuseChannels(this.name, inputs)
    return lowerRefresh(this.refreshCell(inputs))
  }
  refreshCell(inputs: readonly SlotLayout[]): RefreshCell {
    return overStepsCell(this.#circuit, inputs, this.outputs.length)
  }
}
