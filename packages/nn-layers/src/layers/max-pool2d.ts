/**
 * Max pooling by polynomials: rounds of pairs, along columns and then along rows. A round makes the largest of w elements the largest of
 * up to 2w, so a window of k takes ceil(log2 k) rounds per axis; the last of an axis takes its stride.
 */
import type { Layer, Shape } from '@he-ml/model'
import type { Pair } from '../linear-map/linear-map.ts'
import { createWindow, imageShape, windowOutput } from '../linear-map/window.ts'
import { checkLayerOptions } from './layer-options.ts'
import { PairMaxLayer } from './pair-max.ts'
import { identity } from './reshape.ts'
import { select } from './select.ts'

/** Options of {@link maxPool2d}. */
export interface MaxPool2dOptions {
  /** Of the last node; those before it are called `name_columns1` and so on. */
  readonly name: string
  /** The value that is pooled. */
  readonly input: string
  /** Its shape, [channels, height, width]. */
  readonly shape: Shape
  /** Rows and columns, or one number for both. */
  readonly kernel: number | Pair
  /** Default: the kernel, windows side by side. */
  readonly stride?: number | Pair
}

/** A node of a model, as `NodeDescription` has it. */
export interface MaxPoolNode {
  /** A round of pairs, or what thins out or renames. */
  readonly layer: Layer
  /** The node before it, or the value that is pooled. */
  readonly inputs: readonly string[]
}

interface Round {
  readonly apart: number
  readonly stride: number
}

/** The rounds along one axis; none for windows of one element without a stride. */
function roundsOf(kernel: number, stride: number): Round[] {
  const rounds: Round[] = []
  for (let width = 1; width < kernel; ) {
    const apart = Math.min(width, kernel - width)
    width += apart
    rounds.push({ apart, stride: width === kernel ? stride : 1 })
  }
  return rounds.length === 0 && stride > 1 ? [{ apart: 0, stride }] : rounds
}

/**
 * Max pooling over [channels, height, width] as nodes for a model: each a round with a polynomial of its own, which `fit` and `compile`
 * treat as they do activations, so refreshes may stand between them. Exact in the clear. Encrypted, every round takes the levels of its
 * ReLU, and one more but for batches whose factor is free: for a kernel of 2 and degree 15, two rounds of 5 levels. Errors of a round are
 * at most its polynomial's `certifiedError`, and those of rounds add up at most: calibrated on differences of neighbours, whose range is
 * what the error is relative to. Give the ReLU a degree as for activations; degree 15 errs by 1 % of half that range at worst.
 *
 * @returns in order; the last is called `name`
 * @throws InvalidArgumentError for a malformed window, or one larger than the image; the message names the layer
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { maxPool2d } from '@he-ml/nn-layers'
 * const shape = [1, 2, 2]
 * const nodes = maxPool2d({ name: 'pool', input: 'image', shape, kernel: 2 })
 * const model = new Model({ name: 'largest', input: { name: 'image', shape }, nodes })
 * console.log(model.forward(createTensor(shape, Float64Array.of(1, 4, 3, 2))).data) // [4]
 * ```
 */
export function maxPool2d(options: MaxPool2dOptions): readonly MaxPoolNode[] {
  const { name, input, shape, kernel, stride = kernel } = checkLayerOptions('maxPool2d', options)
  const window = createWindow(name, kernel, { stride })
  const image = imageShape(name, shape)
  windowOutput(name, image, window)
  const layers = ([1, 0] as const).flatMap((axis) => {
    const along = (n: number, other: number): Pair => (axis === 0 ? [n, other] : [other, n])
    return roundsOf(window.kernel[axis], window.stride[axis]).map(({ apart, stride: step }, i) => ({
      part: `${name}_${axis === 0 ? 'rows' : 'columns'}${i + 1}`,
      apart: along(apart, 0),
      stride: along(step, 1),
    }))
  })
  const nodes: MaxPoolNode[] = []
  let sizes: readonly number[] = image
  for (const [i, { part, apart, stride: step }] of layers.entries()) {
    const own = i === layers.length - 1 ? name : part
    const layer = apart.some((n) => n > 0)
      ? new PairMaxLayer({ name: own, apart, stride: step })
      : thinned(own, sizes, step)
    nodes.push({ layer, inputs: [nodes.at(-1)?.layer.name ?? input] })
    sizes = layer.outputShape([sizes])
  }
  if (nodes.length === 0) nodes.push({ layer: identity({ name }), inputs: [input] })
  return nodes
}

/** Every stride-th row or column. */
function thinned(name: string, shape: Shape, stride: Pair) {
  const [channels, height, width] = imageShape(name, shape)
  return select({
    name,
    sizes: [channels, Math.ceil(height / stride[0]), Math.ceil(width / stride[1])],
    strides: [height * width, width * stride[0], stride[1]],
  })
}
