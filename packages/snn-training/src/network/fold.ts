/** Normalisations become affine maps, and those become part of the convolution or linear layer before them. */

import type { LayerDescription, PlainLayerDescription } from '@he-ml/model/spiking'
import type { Reals } from '@he-ml/snn-neurons'
import { tdBatchNormMap } from '../layers/td-batch-norm.ts'
import { zerosLike } from '../tensor/signal.ts'
import { createNetwork, type Network } from './network.ts'

/** A layer and its values by their short names. */
interface Item {
  readonly layer: LayerDescription
  readonly values: Readonly<Record<string, Reals>>
}

/** Options of {@link foldNormalization}. */
export interface FoldOptions {
  /**
   * Also merge affine maps into the convolution or linear layer directly before them (unless it has a grid); default true.
   * Without merging, inference gives the very bits of the network that was folded; with it, the same up to rounding.
   */
  readonly merge?: boolean
}

/**
 * The network for inference: running statistics instead of batch statistics, no dropout.
 *
 * @example
 * ```ts
 * import { createNetwork, foldNormalization } from '@he-ml/snn-training'
 * const network = createNetwork({
 *   name: 'tiny',
 *   inputShape: [2],
 *   timeSteps: 1,
 *   layers: [{ kind: 'linear', name: 'fc', outFeatures: 3 }, { kind: 'tdBatchNorm', name: 'norm', threshold: 1 }],
 * })
 * console.log(foldNormalization(network).description.layers.length) // 1
 * ```
 */
export function foldNormalization(network: Network, { merge = true }: FoldOptions = {}): Network {
  const state = new Map(network.state.map(({ name, value }) => [name, value]))
  const values = new Map<string, Reals>()
  const fold = (layers: readonly LayerDescription[], name: string): LayerDescription[] => {
    const items = foldSequence(layers, state, merge)
    for (const { layer, values: own } of items)
      for (const [what, value] of Object.entries(own)) values.set(`${layer.name}.${what}`, value)
    // a description needs one layer at least; an affine map starts as the identity
    return items.length > 0 ? items.map(({ layer }) => layer) : [{ kind: 'affine', name: `${name}-identity` }]
  }
  // a folded path holds plain layers only, as the path did
  const path = (layers: readonly PlainLayerDescription[], name: string) => fold(layers, name) as PlainLayerDescription[]
  const blocks = network.description.layers.map((layer) =>
    layer.kind === 'residual'
      ? {
          ...layer,
          main: path(layer.main, layer.name),
          shortcut: layer.shortcut.length > 0 ? path(layer.shortcut, `${layer.name}-shortcut`) : [],
        }
      : layer,
  )
  const folded = createNetwork({ ...network.description, layers: fold(blocks, 'network') }, network.options)
  for (const { name, value } of folded.state) {
    const kept = values.get(name) ?? state.get(name)
    if (kept) value.set(kept)
  }
  return folded
}

function foldSequence(
  layers: readonly LayerDescription[],
  state: ReadonlyMap<string, Reals>,
  merge: boolean,
): readonly Item[] {
  const result: Item[] = []
  for (const layer of layers) {
    if (layer.kind === 'dropout') continue
    const item = asAffine({ layer, values: valuesOf(layer, state) })
    const before = result.at(-1)
    const merged = merge && before && item.layer.kind === 'affine' ? absorb(before, item.values) : undefined
    if (merged) result[result.length - 1] = merged
    else result.push(item)
  }
  return result
}

function valuesOf({ name }: LayerDescription, state: ReadonlyMap<string, Reals>): Readonly<Record<string, Reals>> {
  const prefix = `${name}.`
  return Object.fromEntries(
    [...state].flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
  )
}

function asAffine(item: Item): Item {
  const { layer, values } = item
  if (layer.kind !== 'tdBatchNorm') return item
  const { gamma, beta, mean, variance } = values
  const { scale, shift } = tdBatchNormMap(layer, { gamma: gamma!, beta: beta!, mean: mean!, variance: variance! })
  return { layer: { kind: 'affine', name: layer.name }, values: { scale, shift } }
}

/** scale (W x + b) + shift = (scale W) x + (scale b + shift), row by row; undefined where that is not what `before` does. */
function absorb(before: Item, affine: Readonly<Record<string, Reals>>): Item | undefined {
  const { layer, values } = before
  if ((layer.kind !== 'conv2d' && layer.kind !== 'linear') || layer.weightGrid) return undefined
  const { scale, shift } = affine as { scale: Reals; shift: Reals }
  const rowSize = values.weight!.length / scale.length
  const weight = zerosLike(values.weight!)
  for (let i = 0; i < weight.length; i++) weight[i] = values.weight![i]! * scale[Math.floor(i / rowSize)]!
  const bias = shift.map((constant, c) => constant + scale[c]! * (values.bias?.[c] ?? 0))
  return { layer: { ...layer, bias: true }, values: { weight, bias } }
}
