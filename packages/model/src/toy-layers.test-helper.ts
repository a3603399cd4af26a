/** Toy layers for graph passes: elementwise on any shape. */
import type { CalibratedMultiOutputLayer } from './calibrated-layer.ts'
import type { Layer, MultiOutputLayer } from './layer.ts'
import { createTensor, type Tensor } from './tensor.ts'

export const map = (x: Tensor, f: (v: number, i: number) => number): Tensor => createTensor(x.shape, x.data.map(f))

/** f on every element of one input. */
export function toy(kind: string, name: string, f: (v: number) => number, more: Partial<Layer> = {}): Layer {
  const common = { kind, name, arity: 1, digestParts: () => [] }
  return { ...common, outputShape: ([shape]) => shape!, forward: ([x]) => map(x!, f), ...more }
}

/** weight * x + bias, and takes factors. */
export const scale = (name: string, weight: number, bias: number): Layer =>
  toy('scale', name, (v) => weight * v + bias, {
    scaleOutput: (c) => scale(name, c * weight, c * bias),
    scaleInput: (c) => scale(name, c * weight, bias),
  })

export const plus = (name: string): Layer =>
  toy('plus', name, () => 0, {
    arity: 2,
    homogeneous: true,
    forward: ([a, b]) => map(a!, (v, i) => v + b!.data[i]!),
  })

/** Positive and negative parts: two outputs. */
export const parts = (name: string): MultiOutputLayer => ({
  kind: 'parts',
  name,
  arity: 1,
  outputs: ['positive', 'negative'],
  digestParts: () => [],
  outputShapes: ([shape]) => [shape!, shape!],
  forwardAll: ([x]) => [map(x!, (v) => Math.max(0, v)), map(x!, (v) => Math.min(0, v))],
})

/** How a toy neuron holds its values: membranes (with their inputs) and spikes. */
interface Held {
  readonly membrane: number
  readonly spike: number
}

/**
 * u <- u / 2 + x, fires above 1, keeps the rest; inputs [current, membrane?]. With a wanted factor it is calibrated, and asks
 * for its membranes to be held times that.
 */
export function neuron(name: string, wanted?: number, held: Held = { membrane: 1, spike: 1 }): MultiOutputLayer {
  const charged = ([x, u]: readonly Tensor[]): Tensor => map(x!, (v, i) => (u ? u.data[i]! / 2 + v : v) / held.membrane)
  const forwardAll = (inputs: readonly Tensor[]): Tensor[] => {
    const v = charged(inputs)
    const spike = map(v, (u) => (u >= 1 ? 1 : 0))
    return [map(spike, (s) => s * held.spike), map(v, (u, i) => (u - spike.data[i]!) * held.membrane)]
  }
  const layer: MultiOutputLayer = {
    kind: 'neuron',
    name,
    arity: 2,
    optionalInputs: 1,
    outputs: ['spike', 'membrane'],
    digestParts: () => [],
    outputShapes: ([shape]) => [shape!, shape!],
    forwardAll,
    factorGroups: [
      { inputs: [0, 1], outputs: [1], ...(wanted === undefined ? {} : { wanted: wanted / held.membrane }) },
      { inputs: [], outputs: [0] },
    ],
    withFactors: ([membrane, spike]) =>
      neuron(name, wanted, { membrane: held.membrane * membrane!, spike: held.spike * spike! }),
  }
  if (wanted === undefined) return layer
  const calibrated: CalibratedMultiOutputLayer = {
    ...layer,
    calibrated: true,
    observed: charged,
    calibrate: ({ max }) => neuron(name, 1 / max, held) as CalibratedMultiOutputLayer,
    forwardAllApproximate: forwardAll,
    fittedForm: { wanted, ...held },
    withFittedForm: (form) => {
      const given = form as unknown as Held & { wanted: number }
      return neuron(name, given.wanted, given) as CalibratedMultiOutputLayer
    },
  }
  return calibrated
}
