/** What layers have in common that `SpikingLayer` becomes where fewer of its results are wanted: the circuit of a refresh, and nothing fitted. */
import { contentHash } from '@he-ml/ckks-core'
import { digestText, type MultiOutputLayer, type Shape, type Tensor } from '@he-ml/model'
import { type Lowerable, type LoweredLayer, lowerRefresh, type RefreshCell, type SlotLayout } from '@he-ml/packing'
import type { ExactCircuit } from './exact-cell.ts'
import { refuseChannels } from './refuse-channels.ts'

export abstract class ExactNeurons implements MultiOutputLayer, Lowerable {
  readonly kind = 'spiking'
  readonly gapSensitive = true
  readonly refreshes = true
  abstract readonly arity: number
  abstract readonly outputs: readonly string[]
  protected readonly circuit: ExactCircuit

  constructor(circuit: ExactCircuit) {
    this.circuit = circuit
  }

  get name(): string {
    return this.circuit.name
  }
  abstract outputShapes(inputs: readonly Shape[]): readonly Shape[]
  abstract forwardAll(inputs: readonly Tensor[]): readonly Tensor[]
  /** @throws UnsupportedError when the inputs do not lie alike */
  abstract refreshCell(inputs: readonly SlotLayout[]): RefreshCell

  digestParts(): readonly Uint8Array[] {
    const { neuron, step, membraneFactor, spikeFactor } = this.circuit
    const about = { neuron, step: step.form, membraneFactor, spikeFactor, outputs: this.outputs }
    return [digestText(contentHash(JSON.parse(JSON.stringify(about))))]
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    this.outputShapes(inputs.map(({ shape }) => shape))
    refuseChannels(this.name, inputs)
    return lowerRefresh(this.refreshCell(inputs))
  }
}
