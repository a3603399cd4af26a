/**
 * The planned network in the clear, a batch of samples at a time: polynomials where the encrypted one has polynomials, tables where it has
 * tables, no noise. Linear layers run on the float kernels where there are some; all else is in double precision.
 */
import type { Pacer } from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import {
  forwardAll,
  forwardApproximate,
  framesOf,
  type GraphLayer,
  isCalibrated,
  type Model,
  type ModelNode,
  onInputGrid,
  type Tensor,
} from '@he-ml/model'
import { runsOnBatches, stack, unstack } from '../ready/batches.ts'
import { liveValues } from '../ready/live-values.ts'

export interface Walk {
  /** Absent: in double precision. */
  readonly kernels?: FloatKernels<Float32Array>
  readonly pacer: Pacer
  /** Whether layers compute what they were fitted to, or their own functions. */
  readonly approximate: boolean
  /** Called for each sample at each node. */
  readonly observe?: (node: ModelNode, inputs: readonly Tensor[], outputs: readonly Tensor[]) => void
}

/**
 * Results of a model without states (see `unroll`), one a sample.
 * @param inputs of the model's shape
 */
export async function walk(model: Model, inputs: readonly Tensor[], options: Walk): Promise<Tensor[]> {
  const { pacer, observe } = options
  const read = inputs.map((input) => onInputGrid(input, model.input.grid))
  const values = new Map<string, readonly Tensor[]>()
  const frames = model.inputForm.frames === undefined ? read.map((input) => [input]) : read.map(framesOf)
  for (const [i, name] of model.inputs.entries())
    values.set(
      name,
      frames.map((of) => of[i]!),
    )
  const { freed } = liveValues(model)
  for (const [i, node] of model.nodes.entries()) {
    await pacer.step()
    const given = node.inputs.map((name) => values.get(name)!)
    const samples = inputs.map((_, n) => given.map((tensors) => tensors[n]!))
    const results = await outputsOf(node.layer, samples, options)
    if (observe) for (const [n, sample] of samples.entries()) observe(node, sample, results[n]!)
    for (const [j, name] of node.values.entries())
      values.set(
        name,
        results.map((of) => of[j]!),
      )
    for (const name of freed[i]!) values.delete(name)
  }
  return [...values.get(model.output)!]
}

/** For each sample one tensor per output. */
async function outputsOf(
  layer: GraphLayer,
  samples: readonly (readonly Tensor[])[],
  { kernels, approximate }: Walk,
): Promise<readonly (readonly Tensor[])[]> {
  if (kernels && runsOnBatches(layer) && !(approximate && isCalibrated(layer))) {
    const batches = samples[0]!.map((_, i) => stack(samples.map((given) => given[i]!)))
    return unstack(await layer.forwardFloat(kernels, batches)).map((tensor) => [tensor])
  }
  return samples.map((given) => (approximate ? forwardApproximate(layer, given) : forwardAll(layer, given)))
}
