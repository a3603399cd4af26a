import { contentHash } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/packing'
import { createTensor, sizeOf } from '@he-ml/packing'

/**
 * A fingerprint of a model: its graph and what it computes. Layers keep their weights private, so the function itself is
 * probed: outputs of every layer on a fixed pseudo-random input, rounded to 10 significant digits.
 */
export function modelDigest(model: Model): string {
  const parts: string[] = [model.name, model.output, String(model.input.shape)]
  const data = new Float64Array(sizeOf(model.input.shape))
  let state = 12345
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    data[i] = (state / 2 ** 32 - 0.5) * 2
  }
  model.evaluate(createTensor(model.input.shape, data), (layer, inputs) => {
    const result = layer.forward(inputs)
    let sum = 0
    let weighted = 0
    for (let i = 0; i < result.data.length; i++) {
      sum += result.data[i]!
      weighted += result.data[i]! * Math.cos(i)
    }
    parts.push(`${layer.kind}|${layer.name}|${result.shape}|${sum.toPrecision(9)}|${weighted.toPrecision(9)}`)
    return result
  })
  for (const node of model.nodes) parts.push(node.inputs.join(','))
  return contentHash(parts)
}
