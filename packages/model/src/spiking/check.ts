import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Shape, sizeOf } from '../tensor.ts'
import { allLayers } from './all-layers.ts'
import type { LayerDescription, NetworkDescription } from './description.ts'
import { networkSchema } from './network-schema.ts'

/** No signal of one sample at one step is larger than this. */
const MOST_VALUES = 2 ** 24
/** No layer has more weights than this. */
const MOST_WEIGHTS = 2 ** 28

/**
 * A checked network, defaults filled in: fields, unique names, and that every layer fits the one before it.
 * @throws InvalidArgumentError that names the field or the layer
 */
export function checkNetwork(recipe: unknown): NetworkDescription {
  const parsed = networkSchema.safeParse(recipe)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new InvalidArgumentError(`network: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  checkNames(parsed.data.layers)
  const end = shapeAfter(parsed.data.layers, parsed.data.inputShape)
  if (end.length !== 1)
    throw new InvalidArgumentError(`network: expected [classes] at the end, got [${end}]: flatten first`)
  return parsed.data
}

function checkNames(layers: readonly LayerDescription[]): void {
  const seen = new Set<string>()
  for (const { name } of allLayers(layers)) {
    if (seen.has(name)) throw new InvalidArgumentError(`network: expected unique names, got "${name}" twice`)
    seen.add(name)
  }
}

/** The shape after layers, each checked against what it is given. */
export function shapeAfter(layers: readonly LayerDescription[], inputShape: Shape): Shape {
  let shape = inputShape
  for (const layer of layers) {
    shape = layerShape(layer, shape)
    if (sizeOf(shape) > MOST_VALUES) refuse(layer, `at most ${MOST_VALUES} values`, `[${shape}]`)
  }
  return shape
}

function refuse(layer: LayerDescription, expected: string, got: string): never {
  throw new InvalidArgumentError(`network: layer "${layer.name}" (${layer.kind}): expected ${expected}, got ${got}`)
}

function layerShape(layer: LayerDescription, shape: Shape): Shape {
  switch (layer.kind) {
    case 'conv2d':
    case 'averagePool2d':
    case 'maxPool2d':
      return windowShape(layer, shape)
    case 'linear':
      if (shape.length !== 1) refuse(layer, '[features]', `[${shape}]: flatten first`)
      if (layer.outFeatures * shape[0]! > MOST_WEIGHTS) refuse(layer, `at most ${MOST_WEIGHTS} weights`, 'more')
      return [layer.outFeatures]
    case 'flatten':
      return [sizeOf(shape)]
    case 'residual': {
      const [main, shortcut] = [shapeAfter(layer.main, shape), shapeAfter(layer.shortcut, shape)]
      if (`${main}` !== `${shortcut}`) refuse(layer, 'two paths of one shape', `[${main}] and [${shortcut}]`)
      return main
    }
    default:
      return shape
  }
}

function windowShape(
  layer: LayerDescription & { kind: 'conv2d' | 'averagePool2d' | 'maxPool2d' },
  shape: Shape,
): Shape {
  const [channels, height, width] = shape
  if (channels === undefined || height === undefined || width === undefined)
    return refuse(layer, '[channels, height, width]', `[${shape}]`)
  const isConvolution = layer.kind === 'conv2d'
  const kernel = isConvolution ? layer.kernel : ([layer.kernel, layer.kernel] as const)
  const padding = isConvolution ? layer.padding : 0
  const rows = outputSize(height, kernel[0], layer.stride, padding)
  const columns = outputSize(width, kernel[1], layer.stride, padding)
  if (rows < 1 || columns < 1) refuse(layer, `a window no larger than the padded image`, `${kernel} on [${shape}]`)
  if (!isConvolution) return [channels, rows, columns]
  const { groups, outChannels } = layer
  if (channels % groups !== 0 || outChannels % groups !== 0)
    refuse(layer, `groups that divide ${channels} and ${outChannels} channels`, `${groups}`)
  if ((outChannels * channels * kernel[0] * kernel[1]) / groups > MOST_WEIGHTS)
    refuse(layer, `at most ${MOST_WEIGHTS} weights`, 'more')
  return [outChannels, rows, columns]
}

/** Rows or columns after a window has gone over them. */
const outputSize = (length: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((length + 2 * padding - kernel) / stride) + 1

/** A tensor that a network has: `layer.what` and its shape. */
export interface TensorShape {
  /** `layer.weight`, `layer.bias`, `layer.scale` or `layer.shift`. */
  readonly name: string
  /** Sizes, as the layer wants them. */
  readonly shape: Shape
}

/** Parameters and running statistics of layers, without building anything. */
export function tensorShapes(layers: readonly LayerDescription[], inputShape: Shape): readonly TensorShape[] {
  const all: TensorShape[] = []
  let shape = inputShape
  for (const layer of layers) {
    const next = layerShape(layer, shape)
    if (layer.kind === 'residual') all.push(...tensorShapes(layer.main, shape), ...tensorShapes(layer.shortcut, shape))
    else
      for (const [what, size] of ownTensors(layer, shape, next))
        all.push({ name: `${layer.name}.${what}`, shape: size })
    shape = next
  }
  return all
}

function ownTensors(layer: LayerDescription, before: Shape, after: Shape): readonly (readonly [string, Shape])[] {
  const channels = [before[0]!]
  if (layer.kind === 'tdBatchNorm')
    return ['gamma', 'beta', 'mean', 'variance'].map((what) => [what, channels] as const)
  if (layer.kind === 'affine') return ['scale', 'shift'].map((what) => [what, channels] as const)
  if (layer.kind !== 'conv2d' && layer.kind !== 'linear') return []
  const inputs = layer.kind === 'linear' ? channels : [before[0]! / layer.groups, ...layer.kernel]
  return [['weight', [after[0]!, ...inputs]], ...(layer.bias ? [['bias', [after[0]!]] as const] : [])]
}
