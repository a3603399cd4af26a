/**
 * A layer against its contracts: `Layer` of model, `Lowerable` of packing. What compile moves (factors), what plans keep (digests, fitted
 * forms) and what engines run (levels, scales, places, gaps) must all hold of a layer, whoever wrote it.
 */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { forwardApproximate, type Layer, type Shape, sameShape, type Tensor } from '@he-ml/model'
import { imagesPerTensor, type Lowerable, type LowerContext, type SlotLayout } from '@he-ml/packing'
import { digestOf, factorFindings } from './check-factors.ts'
import { LayerCheckError } from './layer-check-error.ts'
import { largestDifference, randomTensor } from './random-tensor.ts'
import { runOnClearEngine } from './run-layer.ts'

/** Options of {@link checkLayer}. */
export interface CheckLayerOptions {
  /** What to run on: for each case the layout of every input, or of the only one. All are of the same shapes. */
  readonly layouts: readonly (SlotLayout | readonly SlotLayout[])[]
  /**
   * `inputs[b][i]` is input i of image b; layouts of one image take the first. Default: two images of random values in [-1, 1]. Of a
   * calibrated layer they must lie within its range, as they arrive.
   */
  readonly inputs?: readonly (readonly Tensor[])[]
  /** Layouts that the layer must refuse by UnsupportedError. Default none. */
  readonly refused?: readonly (SlotLayout | readonly SlotLayout[])[]
  /** Layers that compute something else: their digests must be others. Default none. */
  readonly others?: readonly Layer[]
  /** Largest difference between the circuit and the clear layer, absolute. Default 1e-9. */
  readonly tolerance?: number
  /** Slots of a ciphertext, a power of two. Default 512. */
  readonly maxSlots?: number
  /** What readers bear in gaps. Default 'zero'. */
  readonly gaps?: LowerContext['gaps']
}

/** How a layer ran on one case of layouts. */
export interface LayerCheck {
  /** Of the case. */
  readonly inputs: readonly SlotLayout[]
  /** Of the result. */
  readonly output: SlotLayout
  /** Levels taken. */
  readonly depth: number
  /** Largest difference between the circuit and the clear layer. */
  readonly error: number
}

/**
 * Checks a layer: shapes; that the clear function is one; digests; the factors that it says it takes; its fitted form, if it is
 * calibrated; and on every case of layouts its circuit on the clear engine against `forward` (or `forwardApproximate`), with the levels it
 * declares, nominal scales, gaps as promised and no handle left behind, and a LevelError with a level too few.
 *
 * @returns one for each case, in order
 * @throws LayerCheckError with all that was found
 * @example
 * ```ts
 * import { createBatchLayout, createMultiplexedLayout } from '@he-ml/packing'
 * import { quadratic } from '@he-ml/nn-layers'
 * import { checkLayer } from '@he-ml/nn-layers/testing'
 * const layouts = [createMultiplexedLayout([2, 4, 4], { maxSlots: 512 }), createBatchLayout([2, 4, 4], { slots: 8 })]
 * const [one] = await checkLayer(quadratic({ name: 'act', leading: 2 }), { layouts })
 * console.log(one!.depth) // 2
 * ```
 */
export async function checkLayer(layer: Layer & Lowerable, options: CheckLayerOptions): Promise<readonly LayerCheck[]> {
  const { tolerance = 1e-9, maxSlots = 512, gaps } = options
  const cases = options.layouts.map(listed)
  if (cases.length === 0)
    throw new InvalidArgumentError(`checkLayer of "${layer.name}": expected layouts to run on, got none`)
  const shapes = cases[0]!.map(({ shape }) => shape)
  const images = options.inputs ?? [0, 1].map((b) => shapes.map((shape, i) => randomTensor(shape, 1 + 7 * b + i)))
  const context: LowerContext = { maxSlots, ...(gaps ? { gaps } : {}) }
  const findings = [
    ...clearFindings(layer, images, shapes),
    ...factorFindings({ layer, inputs: images[0]!, tolerance }),
    ...digestFindings(layer, options.others ?? []),
    ...refusalFindings(layer, (options.refused ?? []).map(listed), context),
  ]
  const checks: LayerCheck[] = []
  for (const layouts of cases) {
    const { check, problems } = await runCase(layer, images, layouts, context)
    const where = `on ${layouts.map(({ kind }) => kind).join(' and ')}: `
    findings.push(...problems.map((problem) => where + problem))
    if (!(check.error <= tolerance))
      findings.push(`${where}the circuit is ${check.error.toExponential(2)} off the clear layer`)
    checks.push(check)
  }
  if (findings.length > 0) throw new LayerCheckError(layer.name, findings)
  return checks
}

const listed = (layouts: SlotLayout | readonly SlotLayout[]): readonly SlotLayout[] =>
  'kind' in layouts ? [layouts] : layouts

function errorOf(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

function clearFindings(layer: Layer, images: readonly (readonly Tensor[])[], shapes: readonly Shape[]): string[] {
  const findings: string[] = []
  if (layer.arity !== shapes.length)
    findings.push(`its arity is ${layer.arity}, its layouts are of ${shapes.length} inputs`)
  for (const inputs of images) {
    const copies = inputs.map(({ data }) => Float64Array.from(data))
    const declared = layer.outputShape(inputs.map(({ shape }) => shape))
    const [once, twice] = [layer.forward(inputs), layer.forward(inputs)]
    if (!sameShape(declared, once.shape)) findings.push(`outputShape says [${declared}], forward gives [${once.shape}]`)
    if (!once.data.every(Number.isFinite)) findings.push('forward gives values that are not finite')
    if (largestDifference(once, twice) !== 0) findings.push('forward gives other values each time')
    if (inputs.some(({ data }, i) => data.some((v, k) => v !== copies[i]![k])))
      findings.push('forward changes its inputs')
  }
  const refusal = errorOf(() => layer.outputShape([]))
  if (!(refusal instanceof InvalidArgumentError && refusal.message.includes(layer.name)))
    findings.push('outputShape takes no inputs at all: expected an InvalidArgumentError that names the layer')
  return findings
}

function digestFindings(layer: Layer, others: readonly Layer[]): string[] {
  const own = digestOf(layer)
  const findings = digestOf(layer) === own ? [] : ['its digest is another each time']
  for (const other of others)
    if (other.kind === layer.kind && digestOf(other) === own)
      findings.push(`its digest is that of "${other.name}", which computes something else`)
  return findings
}

function refusalFindings(
  layer: Layer & Lowerable,
  refused: readonly (readonly SlotLayout[])[],
  context: LowerContext,
): string[] {
  return refused.flatMap((layouts) => {
    const error = errorOf(() => layer.lower(layouts, context))
    return error instanceof UnsupportedError && error.message.includes(layer.name)
      ? []
      : [
          `it should refuse ${layouts.map(({ kind }) => kind).join(' and ')} by an UnsupportedError that names it, got ${error ?? 'a circuit'}`,
        ]
  })
}

async function runCase(
  layer: Layer & Lowerable,
  images: readonly (readonly Tensor[])[],
  layouts: readonly SlotLayout[],
  context: LowerContext,
): Promise<{ readonly check: LayerCheck; readonly problems: string[] }> {
  const count = Math.min(images.length, ...layouts.map(imagesPerTensor))
  const given = images.slice(0, count)
  const run = await runOnClearEngine(layer, given, layouts, { context })
  const { depth, outputs } = run.lowered
  const error = Math.max(
    ...run.outputs.map((output, b) => largestDifference(output, forwardApproximate(layer, given[b]!)[0]!)),
  )
  const problems = [...run.findings]
  const declared = layer.outputShape(layouts.map(({ shape }) => shape))
  if (!sameShape(outputs[0]!.shape, declared))
    problems.push(`its result is of shape [${outputs[0]!.shape}], outputShape says [${declared}]`)
  return { check: { inputs: layouts, output: outputs[0]!, depth, error }, problems }
}
