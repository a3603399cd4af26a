/** Neurons at the last step at which anybody asks for their membranes: one function in the refresh less. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, type Shape, sameShape, type Tensor } from '@he-ml/model'
import type { RefreshCell, SlotLayout } from '@he-ml/packing'
import { lastStepCell } from './exact-cell.ts'
import { ExactNeurons } from './exact-neurons.ts'

/** Inputs current and membrane, output `spike`. Made by {@link SpikingLayer.withOutputs}. */
export class SpikingLastStep extends ExactNeurons {
  readonly arity = 2
  readonly optionalInputs = 1
  readonly outputs = ['spike'] as const

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [current, membrane] = inputs
    if (!current || inputs.length > 2 || (membrane && !sameShape(current, membrane)))
      throw new InvalidArgumentError(
        `layer "${this.name}": expected a current and perhaps a membrane of its shape, got ${inputs.map((s) => `[${s}]`).join(' and ') || 'nothing'}`,
      )
    return [current]
  }
  forwardAll(inputs: readonly Tensor[]): readonly Tensor[] {
    const { step, membraneFactor, spikeFactor } = this.circuit
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
  refreshCell(inputs: readonly SlotLayout[]): RefreshCell {
    return lastStepCell(this.circuit, inputs)
  }
}
