/**
 * Neurons whose current is the same at every time step: the T spikes of each are T functions of that one number, whatever the neuron and its
 * reset. One refresh gives them all.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, type Shape, type Tensor } from '@he-ml/model'
import type { RefreshCell, SlotLayout } from '@he-ml/packing'
import { type ExactCircuit, overStepsCell } from './exact-cell.ts'
import { ExactNeurons } from './exact-neurons.ts'

/** One input, the current; outputs `spike@0`, `spike@1`, ... Made by {@link SpikingLayer.overSteps}. */
export class SpikingOverSteps extends ExactNeurons {
  readonly arity = 1
  readonly outputs: readonly string[]

  constructor(circuit: ExactCircuit, steps: number) {
    super(circuit)
    this.outputs = Array.from({ length: steps }, (_, step) => `spike@${step}`)
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [current] = inputs
    if (!current || inputs.length > 1)
      throw new InvalidArgumentError(`layer "${this.name}": expected one current, got ${inputs.length}`)
    return this.outputs.map(() => current)
  }
  forwardAll(inputs: readonly Tensor[]): readonly Tensor[] {
    const { step, membraneFactor, spikeFactor } = this.circuit
    const [current] = inputs as [Tensor]
    this.outputShapes(inputs.map((t) => t.shape))
    return step.overSteps(this.outputs.length, spikeFactor).map((f) =>
      createTensor(
        current.shape,
        current.data.map((x) => f.at((x / membraneFactor + step.start) / step.period)),
      ),
    )
  }
  refreshCell(inputs: readonly SlotLayout[]): RefreshCell {
    return overStepsCell(this.circuit, inputs, this.outputs.length)
  }
}
