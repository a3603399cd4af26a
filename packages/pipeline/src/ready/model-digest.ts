/**
 * A fingerprint of what a network computes: the bytes of every layer's weights, its kind, its options and its place. Names of
 * nodes belong to it, as a plan's ranges, levels and bootstraps name them; the names of the model (its file) and of its input do
 * not.
 */
import { checkArgument } from '@he-ml/ckks-core'
import { digestText, type Model, modelCheck } from '@he-ml/model'
import { digest } from './digest.ts'

/**
 * SHA-256, hex.
 *
 * @throws InvalidArgumentError for what is no model
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, modelDigest } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const plan = await compile(model)
 * assert.equal(modelDigest(model), plan.model.digest)
 * ```
 */
export function modelDigest(model: Model): string {
  checkArgument('modelDigest', 'model', model, modelCheck.model)
  const { input, nodes, output, states, steps, readout } = model
  const perStep = input.time === 'perStep'
  const { grid } = input
  const placeOf = (value: string): unknown => (value === input.name ? null : value)
  const parts: Uint8Array[] = [
    digestText(['he-ml/model', input.shape, placeOf(output), ...(grid ? [[grid.step, grid.count]] : [])]),
    digestText(
      steps > 1 || states.length > 0 || perStep ? [steps, readout, states, ...(perStep ? ['perStep'] : [])] : [],
    ),
  ]
  for (const { name, layer, inputs, values } of nodes) {
    const own = layer.digestParts()
    const shapes = values.map((value) => model.shapes.get(value)!)
    parts.push(digestText([layer.kind, name, inputs.map(placeOf), shapes, own.length]), ...own)
  }
  return digest(...parts)
}
