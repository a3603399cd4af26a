/** Neurons at the last step at which anybody asks for their membranes: one function in the refresh less. */
import { contentHash, InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, digestText, type MultiOutputLayer, type Shape, sameShape, type Tensor } from '@he-ml/model'
import { type Lowerable, type LoweredLayer, lowerRefresh, type RefreshCell, type SlotLayout } from '@he-ml/packing'
import { type ExactCircuit, lastStepCell } from './exact-cell.ts'
import { refuseChannels } from './refuse-channels.ts'

/** Inputs current and membrane, output `spike`. Made by {@link SpikingLayer.withOutputs}. */
export class SpikingLastStep implements MultiOutputLayer, Lowerable {
  readonly kind = 'spiking'
  readonly arity = 2
  readonly optionalInputs = 1
  readonly gapSensitive = true
  readonly refreshes = true
  readonly outputs = ['spike'] as const
  readonly #circuit: ExactCircuit

  constructor(circuit: ExactCircuit) {
    this.#circuit = circuit
  }

  get name(): string {
    return this.#circuit.name
  }
  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [current, membrane] = inputs
    if (!current || inputs.length > 2 || (membrane && !sameShape(current, membrane)))
      throw new InvalidArgumentError(
        `layer "${this.name}": expected a current and perhaps a membrane of its shape, got ${inputs.map((s) => `[${s}]`).join(' and ') || 'nothing'}`,
      )
    return [current]
  }
  forwardAll(inputs: readonly Tensor[]): readonly Tensor[] {
    const { step, membraneFactor, spikeFactor } = this.#circuit
    const [current, membrane] = inputs
    this.outputShapes(inputs.map((t) => t.shape))
    const charged = (x: number, i: number) => (x + (membrane?.data[i] ?? step.start * membraneFactor)) / membraneFactor
    return [
      createTensor(
        current!.shape,
        current!.data.map((x, i) => spikeFactor * step.forward(charged(x, i)).spike),
      ),
    ]
  }
  digestParts(): readonly Uint8Array[] {
    const { neuron, step, membraneFactor, spikeFactor } = this.#circuit
    const about = { neuron, step: step.form, membraneFactor, spikeFactor, outputs: this.outputs }
    return [digestText(contentHash(JSON.parse(JSON.stringify(about))))]
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    this.outputShapes(inputs.map(({ shape }) => shape))
    refuseChannels(this.name, inputs)
    return lowerRefresh(this.refreshCell(inputs))
  }
  refreshCell(inputs: readonly SlotLayout[]): RefreshCell {
    return lastStepCell(this.#circuit, inputs)
  }
}
