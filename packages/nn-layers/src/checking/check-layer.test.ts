import { type Ciphertext, InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, digestNumbers, type InputStatistics, type Layer, type Shape, type Tensor } from '@he-ml/model'
import {
  type CircuitEngine,
  createBatchLayout,
  createChannelLayout,
  createLowered,
  createMultiplexedLayout,
  type Lowerable,
  type LoweredDescription,
  withGaps,
} from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import {
  type ActivationLayer,
  activation,
  add,
  averagePool2d,
  batchNorm,
  clip,
  conv2d,
  flatten,
  leakyRelu,
  type PreluLayer,
  prelu,
  quadratic,
  sumPool2d,
} from '../index.ts'
import { checkLayer, LayerCheckError, randomTensor } from './index.ts'

const shape = [3, 4, 4]
const multiplexed = createMultiplexedLayout(shape, { maxSlots: 512 })
const batch = createBatchLayout(shape, { slots: 4 })
const channel = createChannelLayout(shape, { slots: 64, images: 4 })
const each = [multiplexed, withGaps(multiplexed, 'any'), batch, channel]
const statistics: InputStatistics = {
  count: 9,
  min: -1,
  max: 1,
  mean: 0,
  std: 1,
  histogram: new Float64Array(8).fill(1),
}
const options = { margin: 1, degree: 7 }
const kernel = (seed: number) => conv2d({ name: 'conv', weights: randomTensor([3, 3, 3, 3], seed), padding: 1 })
const norm = (mean: number) =>
  batchNorm({ name: 'norm', mean: Float64Array.of(mean, 1, 0), variance: Float64Array.of(2, 3, 1) })

describe('our layers', () => {
  it.each([
    ['conv2d', kernel(1), [kernel(2)], 1],
    ['batchNorm', norm(1), [norm(2)], 1],
    ['averagePool2d', averagePool2d({ name: 'pool', kernel: 2 }), [averagePool2d({ name: 'pool', kernel: 4 })], 1],
    ['sumPool2d', sumPool2d({ name: 'pool', kernel: 2 }), [], 0],
    ['square', activation({ name: 'act', function: 'square' }), [], 1],
    ['quadratic', quadratic({ name: 'act', leading: 2, linear: 1 }), [quadratic({ name: 'act', leading: 2 })], 2],
    ['flatten', flatten({ name: 'flat' }), [], 0],
  ] as const)('%s keeps its contract', async (_, layer, others, depth) => {
    const checks = await checkLayer(layer, { layouts: each, others })
    expect(checks.map((check) => check.depth)).toEqual([depth, depth, depth, depth])
    expect(checks.every(({ error }) => error < 1e-9)).toBe(true)
  })

  it.each([
    ['relu', activation({ name: 'act', function: 'relu' }), activation({ name: 'act', function: 'silu' })],
    [
      'leakyRelu',
      activation({ name: 'act', function: leakyRelu(0.1) }),
      activation({ name: 'act', function: leakyRelu() }),
    ],
    [
      'clip',
      activation({ name: 'act', function: clip(-0.5, 1) }),
      activation({ name: 'act', function: clip(-0.5, 2) }),
    ],
    [
      'prelu',
      prelu({ name: 'act', slopes: Float64Array.of(0.1, -0.3, 0.5) }),
      prelu({ name: 'act', slopes: Float64Array.of(0.1, 0.3, 0.5) }),
    ],
  ] as const)('%s keeps its contract', async (_, layer, other) => {
    const [fitted, different] = [layer, other].map((given) =>
      (given as ActivationLayer | PreluLayer).calibrate(statistics, options).withInputFactor(0.5),
    )
    const inputs = [1, 2].map((seed) => [
      createTensor(
        shape,
        randomTensor(shape, seed).data.map((v) => v / 2),
      ),
    ])
    const checks = await checkLayer(fitted!, { inputs, layouts: each, others: [different!] })
    expect(checks.map(({ depth }) => depth)).toEqual(layer.kind === 'prelu' ? [4, 4, 3, 3] : [3, 4, 3, 3])
  })

  it('add keeps its contract, in the slots that it takes', async () => {
    const cases = each.map((layout) => [layout, layout])
    const checks = await checkLayer(add({ name: 'sum' }), { layouts: cases, refused: [[multiplexed, batch]] })
    expect(checks.map(({ depth }) => depth)).toEqual([0, 0, 0, 0])
  })
})

/** Twice its input, by one level. */
class Double implements Layer, Lowerable {
  readonly kind: string = 'double'
  readonly arity: number = 1
  readonly name = 'twice'
  readonly homogeneous: boolean = true
  factor = 2

  digestParts(): readonly Uint8Array[] {
    return [digestNumbers([this.factor])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    if (inputs[0]) return inputs[0]
    throw new InvalidArgumentError('layer "twice": expected an input, got none')
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const [x] = inputs
    return createTensor(
      x!.shape,
      x!.data.map((v) => this.factor * v),
    )
  }
  description(layout: LoweredDescription['output']): LoweredDescription {
    return {
      name: this.name,
      inputs: [layout],
      output: layout,
      depth: 1,
      prepare:
        async () =>
        async ({ engine, inputs, temporaries }) =>
          inputs[0]!.map((x) => {
            const product = engine.mulScalar(x, this.factor)
            const result = temporaries.use(engine.rescale(product))
            product.dispose()
            return result
          }),
    }
  }
  lower(inputs: readonly LoweredDescription['output'][]) {
    return createLowered(this.description(inputs[0]!))
  }
}

/** With a circuit of its own. */
const running = (
  circuit: (x: Ciphertext, engine: CircuitEngine) => Ciphertext,
  change: Partial<LoweredDescription> = {},
) =>
  new (class extends Double {
    override description(layout: LoweredDescription['output']): LoweredDescription {
      return {
        ...super.description(layout),
        ...change,
        prepare:
          async () =>
          async ({ engine, inputs }) =>
            inputs[0]!.map((x) => circuit(x, engine)),
      }
    }
  })()

describe('a layer of a user', () => {
  it('that keeps its contract passes', async () => {
    const other = new Double()
    other.factor = 3
    const checks = await checkLayer(new Double(), { layouts: each, others: [other] })
    expect(checks).toHaveLength(4)
    expect(checks[2]).toMatchObject({ inputs: [batch], output: batch, depth: 1 })
  })

  it.each([
    [
      'of another arity',
      new (class extends Double {
        override readonly arity = 2
      })(),
      /its arity is 2/,
    ],
    [
      'of another shape',
      new (class extends Double {
        override outputShape([s]: readonly Shape[]) {
          return [...super.outputShape(s ? [s] : []), 1]
        }
      })(),
      /outputShape says \[3,4,4,1\]/,
    ],
    [
      'that takes no inputs',
      new (class extends Double {
        override outputShape([s]: readonly Shape[]) {
          return s ?? [1]
        }
      })(),
      /takes no inputs at all/,
    ],
    [
      'with values that are not finite',
      new (class extends Double {
        override forward(xs: readonly Tensor[]) {
          const y = super.forward(xs)
          y.data[0] = Number.NaN
          return y
        }
      })(),
      /not finite/,
    ],
    [
      'that changes its inputs',
      new (class extends Double {
        override forward([x]: readonly Tensor[]) {
          x!.data[0] = 5
          return super.forward([x!])
        }
      })(),
      /changes its inputs/,
    ],
    [
      'that is not homogeneous',
      new (class extends Double {
        override forward(xs: readonly Tensor[]) {
          const y = super.forward(xs)
          return createTensor(
            y.shape,
            y.data.map((v) => v + 1),
          )
        }
      })(),
      /homogeneous, but not for 0.5/,
    ],
    [
      'that scales wrongly',
      new (class extends Double {
        scaleOutput() {
          return this
        }
      })(),
      /scaleOutput\(0.5\) is not 0.5 times.*digest of the layer itself/s,
    ],
    [
      'that scales its input wrongly',
      new (class extends Double {
        scaleInput() {
          return this
        }
      })(),
      /scaleInput\(0.5\) is not/,
    ],
    [
      'that is not channelwise',
      new (class extends Double {
        readonly channelwise = true
        override forward(xs: readonly Tensor[]) {
          const y = super.forward(xs)
          return createTensor(
            y.shape,
            y.data.map((v) => v + y.data[0]!),
          )
        }
      })(),
      /channelwise: differs/,
    ],
    [
      'with a constant that is not apart',
      new (class extends Double {
        factored() {
          return { factor: 3, layer: this }
        }
      })(),
      /factored: differs/,
    ],
    [
      'with a circuit for something else',
      running((x, engine) => {
        using p = engine.mulScalar(x, 3)
        return engine.rescale(p)
      }),
      /on batch: the circuit is .* off the clear layer/,
    ],
    ['that takes other levels', running((x, engine) => engine.add(x, x)), /declares 1 levels, its circuit takes 0/],
    ['that does not rescale', running((x, engine) => engine.mulScalar(x, 2), { depth: 0 }), /expected the nominal one/],
    [
      'of degree 2',
      running((x, engine) => {
        using p = engine.square(x)
        return engine.rescale(p)
      }),
      /degree 2.*relinearise/,
    ],
    [
      'that leaves handles behind',
      running((x, engine) => engine.rescale(engine.mulScalar(x, 2))),
      /leaves \d+ bytes of ciphertexts behind/,
    ],
    [
      'that breaks promises of gaps',
      running((x, engine) => {
        using p = engine.mulScalar(x, 2)
        using r = engine.rescale(p)
        return engine.addScalar(r, 1)
      }),
      /gap that should be zero/,
    ],
  ] as const)('%s is found out', async (_, layer, message) => {
    const check = checkLayer(layer, {
      layouts: [batch, createMultiplexedLayout(shape, { maxSlots: 512, rowStride: 8 })],
    })
    await expect(check).rejects.toThrow(message)
    await expect(check).rejects.toThrow(LayerCheckError)
  })

  it('with the digest of another, or that refuses nothing, is found out', async () => {
    const same = checkLayer(new Double(), { layouts: [batch], others: [new Double()] })
    await expect(same).rejects.toThrow(/its digest is that of "twice"/)
    const all = checkLayer(new Double(), { layouts: [batch], refused: [channel] })
    await expect(all).rejects.toThrow(/should refuse channel by an UnsupportedError that names it, got a circuit/)
    await expect(all).rejects.toMatchObject({ code: 'LayerCheck', findings: [expect.stringContaining('refuse')] })
  })

  it('must be calibrated first, and needs layouts', async () => {
    const bare = activation({ name: 'act', function: 'relu' }) as ActivationLayer
    await expect(checkLayer(bare, { layouts: [batch] })).rejects.toThrow(/has no polynomial/)
    await expect(checkLayer(new Double(), { layouts: [] })).rejects.toThrow(/"twice": expected layouts/)
  })
})
