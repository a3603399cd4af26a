/** Inputs one by one through the exact functions of the layers, in double precision, over all time steps. */
import type { Pacer } from '@he-ml/ckks-core'
import {
  assertInputShape,
  forwardAll,
  framesOf,
  isCalibrated,
  type Model,
  observedBy,
  onInputGrid,
  type Tensor,
} from '@he-ml/model'
import type { Observations } from './observations.ts'

/** @param done called after each input */
export async function observeSamples(
  model: Model,
  inputs: Iterable<Tensor>,
  seen: Observations,
  { pacer, done }: { readonly pacer: Pacer; readonly done: () => void },
): Promise<void> {
  for (const given of inputs) {
    await pacer.step()
    assertInputShape(`model "${model.name}"`, model.inputForm, given.shape)
    const input = onInputGrid(given, model.input.grid)
    for (const [t, { data }] of (model.inputForm.frames === undefined ? [input] : framesOf(input)).entries())
      seen.value(model.inputs[t] ?? model.input.name, data)
    seen.input(input.data)
    const result = model.evaluate(input, ({ name, layer, values }, read) => {
      if (isCalibrated(layer)) {
        seen.observed(name, observedBy(layer, read).data)
        seen.onGrid(name, read[0]!.data)
      }
      const outputs = forwardAll(layer, read)
      for (const [i, output] of outputs.entries()) seen.value(values[i]!, output.data)
      return outputs
    })
    seen.result(result.data)
    done()
  }
}
