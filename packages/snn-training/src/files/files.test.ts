import { FormatError, type HeMlError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { encodeSafetensors, parseSafetensors, type TensorToWrite } from '@he-ml/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNetwork } from '../network/network.ts'
import { createOptimizer } from '../optimizers/create-optimizer.ts'
import { normals } from '../testing.test-helper.ts'
import { encodeCheckpoint, type Position, type RunState, restoreCheckpoint } from '../training/checkpoint.ts'
import { checkRecipe } from '../training/recipe.ts'
import { toyNetwork, toyRecipe } from '../training/toy-digits.test-helper.ts'
import { encodeModel, parseModel } from './model-file.ts'

const toy = toyNetwork('qif')
/** Few values, so that thousands of cases stay quick. */
const small = {
  ...toy,
  layers: toy.layers
    .filter(({ name }) => !/fc1|norm2|spike2/.test(name))
    .map((layer) => (layer.kind === 'conv2d' ? { ...layer, outChannels: 2 } : layer)),
}
const network = createNetwork(small, { seed: 3 })
const files = encodeModel(network, { data: 'toy digits', accuracy: 0.5 })
const input = { data: Float32Array.from(normals(128, 1)), steps: 1, batch: 2, shape: [1, 8, 8] }

/** Bytes changed at a few places, and perhaps cut. */
const damage = (bytes: Uint8Array) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.nat({ max: bytes.length }) },
      ),
    )
    .map(([flips, cut]) => {
      const damaged = bytes.slice(0, cut ?? bytes.length)
      for (const [at, value] of flips) if (at < damaged.length) damaged[at] = value
      return damaged
    })

/** One value somewhere in JSON replaced by something else. */
const distort = (json: unknown) =>
  fc
    .tuple(
      fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 6 }),
      fc.oneof(
        fc.constantFrom<unknown>(null, -1, 0, 0.5, 1e9, 1e308, 2 ** 53, '', 'x', [], {}, true, 'linear', '__proto__'),
        fc.jsonValue({ maxDepth: 2 }),
      ),
    )
    .map(([path, value]) => {
      const copy: unknown = structuredClone(json)
      let at = copy as Record<string, unknown>
      for (const [depth, choice] of path.entries()) {
        const keys = Object.keys(at)
        const key = keys[choice % Math.max(1, keys.length)]
        if (key === undefined) break
        const next = at[key]
        if (depth === path.length - 1 || typeof next !== 'object' || next === null) {
          at[key] = value
          break
        }
        at = next as Record<string, unknown>
      }
      return copy
    })

/** Runs and lets typed errors of the stated classes pass. */
function survives(read: () => unknown, ...classes: readonly (new (message: string) => HeMlError)[]): void {
  try {
    read()
  } catch (error) {
    if (!classes.some((type) => error instanceof type)) throw error
  }
}

describe('models', () => {
  it('come back computing the same, bit for bit', async () => {
    const { network: loaded, about } = parseModel(files)
    expect(about).toEqual({ data: 'toy digits', accuracy: 0.5 })
    expect(loaded.description.layers.map(({ kind }) => kind)).toEqual(['conv2d', 'neuron', 'flatten', 'linear'])
    const again = encodeModel(loaded, about)
    expect(again).toEqual(files)
    expect((await parseModel(again).network.forward(input)).data).toEqual((await loaded.forward(input)).data)
  })
  it('say nothing of penalties', () => {
    const { neuron, surrogate } = toy.layers.find((layer) => layer.kind === 'neuron')!
    const spiking = { kind: 'neuron' as const, neuron, surrogate, grid: { step: 0.25, count: 64 } }
    const withPenalty = (rangePenalty: number) => ({
      ...small,
      layers: [
        { kind: 'residual' as const, name: 'block', main: [{ ...spiking, name: 'n1', rangePenalty }] },
        { ...spiking, name: 'n2', rangePenalty },
        ...small.layers,
      ],
    })
    const [penalized, plain] = [0.1, 0].map((penalty) => encodeModel(createNetwork(withPenalty(penalty))))
    expect(penalized).toEqual(plain)
    expect(plain!.description).not.toContain('rangePenalty')
    const penalties = parseModel(penalized!).network.description.layers.map(
      (l) => 'rangePenalty' in l && l.rangePenalty,
    )
    expect(penalties.slice(0, 2)).toEqual([false, 0])
  })
  it('are refused when their parts do not belong together', () => {
    const json = JSON.parse(files.description)
    const other = encodeModel(createNetwork(small, { seed: 4 }))
    expect(() => parseModel({ ...files, weights: other.weights })).toThrow(/both files from one model/)
    const read = (change: object) => () => parseModel({ ...files, description: JSON.stringify({ ...json, ...change }) })
    expect(read({ version: 2 })).toThrow(/"version"/)
    expect(read({ extra: 1 })).toThrow(FormatError)
    expect(read({ network: { ...json.network, layers: json.network.layers.slice(0, 2) } })).toThrow(/at the end/)
    const training = [{ kind: 'tdBatchNorm', name: 'n', threshold: 1 }, ...json.network.layers]
    expect(read({ network: { ...json.network, layers: training } })).toThrow(/belongs to training/)
    const grid = { step: 0.25, count: 64 }
    const penalized = json.network.layers.map((l: { kind: string }) =>
      l.kind === 'neuron' ? { ...l, grid, rangePenalty: 0.1 } : l,
    )
    expect(read({ network: { ...json.network, layers: penalized } })).toThrow(/rangePenalty belongs to training/)
    const wide = json.network.layers.map((l: { name: string }) => (l.name === 'fc2' ? { ...l, outFeatures: 11 } : l))
    expect(read({ network: { ...json.network, layers: wide } })).toThrow(/values for its layers/)
    expect(() => parseModel({ ...files, description: '{' })).toThrow(/not JSON/)
    expect(() => parseModel({ ...files, description: ' '.repeat(2 ** 22 + 1) })).toThrow(/at most/)
    expect(() => encodeModel(createNetwork(small, { precision: 'float64' }))).toThrow(InvalidArgumentError)
  })
  it('end in FormatError under damage to the description (1,500 texts, 1,500 values)', () => {
    const text = new TextEncoder().encode(files.description)
    const read = (description: string) => survives(() => parseModel({ ...files, description }), FormatError)
    fc.assert(
      fc.property(damage(text), (bytes) => read(new TextDecoder().decode(bytes))),
      { numRuns: 1500 },
    )
    fc.assert(
      fc.property(distort(JSON.parse(files.description)), (json) => read(JSON.stringify(json))),
      { numRuns: 1500 },
    )
  })
})

describe('checkpoints', () => {
  const newRun = (): RunState => {
    const fresh = createNetwork(small, { seed: 3 })
    const recipe = checkRecipe(toyRecipe)
    const best = fresh.state.map((values) => ({ ...values, value: values.value.slice() }))
    return {
      network: fresh,
      optimizer: createOptimizer(recipe.optimizer, fresh.parameters),
      recipe,
      samples: 150,
      best,
    }
  }
  const position: Position = {
    epoch: 1,
    step: 2,
    lossSum: 1.25,
    correct: 3,
    seen: 50,
    history: [{ epoch: 0, loss: 2, accuracy: 0.5, validation: { loss: 2, accuracy: 0.5, correct: 5, count: 10 } }],
    best: { epoch: 0, accuracy: 0.5, loss: 2 },
  }
  const run = newRun()
  run.optimizer.steps = 8
  for (const { value } of [...run.network.state, ...run.optimizer.state, ...run.best])
    value.set(normals(value.length, 2))
  const bytes = encodeCheckpoint(run, position)

  it('put a run where it was', () => {
    const other = newRun()
    expect(restoreCheckpoint(other, bytes)).toEqual(position)
    expect(other.optimizer.steps).toBe(8)
    expect(encodeCheckpoint(other, position)).toEqual(bytes)
  })
  it('of another run are refused', () => {
    const other = { ...newRun(), recipe: checkRecipe({ ...toyRecipe, seed: 12 }) }
    expect(() => restoreCheckpoint(other, bytes)).toThrow(/the recipe differs/)
    expect(() => restoreCheckpoint({ ...newRun(), samples: 151 }, bytes)).toThrow(/number of samples differs/)
    const { tensors, metadata } = parseSafetensors(bytes)
    const without = new Map([...tensors].slice(1))
    expect(() => restoreCheckpoint(newRun(), encodeSafetensors({ tensors: without, metadata }))).toThrow(/got none/)
    const stray = new Map<string, TensorToWrite>([...tensors, ['stray', { shape: [1], data: Float32Array.of(1) }]])
    expect(() => restoreCheckpoint(newRun(), encodeSafetensors({ tensors: stray, metadata }))).toThrow(
      /belongs to nothing/,
    )
    const late = encodeCheckpoint(run, { ...position, step: 6 })
    expect(() => restoreCheckpoint(newRun(), late)).toThrow(/not a place in this run/)
    expect(() => restoreCheckpoint(newRun(), encodeSafetensors({ tensors, metadata: {} }))).toThrow(FormatError)
  })
  it('end in typed errors under damage (1,500 bytes, 1,500 values), and change nothing then', () => {
    const { tensors, metadata } = parseSafetensors(bytes)
    const target = newRun()
    const untouched = encodeCheckpoint(target, position)
    const read = (damaged: Uint8Array) => {
      let isRestored = true
      survives(
        () => {
          isRestored = false
          restoreCheckpoint(target, damaged)
          isRestored = true
        },
        FormatError,
        InvalidArgumentError,
        UnsupportedError,
      )
      if (isRestored) restoreCheckpoint(target, untouched)
      else expect(Buffer.compare(encodeCheckpoint(target, position), untouched)).toBe(0)
    }
    // damage falls on the header, whose bytes matter, as often as on the weights
    const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))
    const headerOnly = damage(bytes.subarray(0, header)).map((head) =>
      head.length < header ? head : Uint8Array.from([...head, ...bytes.subarray(header)]),
    )
    fc.assert(fc.property(fc.oneof(damage(bytes), headerOnly), read), { numRuns: 1500 })
    fc.assert(
      fc.property(distort(JSON.parse(metadata!.checkpoint!)), (state) =>
        read(encodeSafetensors({ tensors, metadata: { checkpoint: JSON.stringify(state) } })),
      ),
      { numRuns: 1500 },
    )
  })
})
