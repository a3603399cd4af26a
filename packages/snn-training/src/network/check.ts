import { InvalidArgumentError } from '@he-ml/ckks-core'
import { outputSize } from '../kernels/float-kernels.ts'
import { type Shape, sizeOf } from '../tensor/signal.ts'
import { allLayers } from './all-layers.ts'
import { type LayerDescription, type NetworkDescription, networkSchema } from './description.ts'

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

/** Number of parameters and running statistics, without building anything. */
export function valueCount(layers: readonly LayerDescription[], inputShape: Shape): number {
  let [count, shape] = [0, inputShape]
  for (const layer of layers) {
    const next = layerShape(layer, shape)
    if (layer.kind === 'residual') count += valueCount(layer.main, shape) + valueCount(layer.shortcut, shape)
    else if (layer.kind === 'tdBatchNorm') count += 4 * shape[0]!
    else if (layer.kind === 'affine') count += 2 * shape[0]!
    else if (layer.kind === 'conv2d' || layer.kind === 'linear') {
      const taps = layer.kind === 'linear' ? 1 : (layer.kernel[0] * layer.kernel[1]) / layer.groups
      count += next[0]! * (shape[0]! * taps + (layer.bias ? 1 : 0))
    }
    shape = next
  }
  return count
}
