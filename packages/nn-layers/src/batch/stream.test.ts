/** Streams of a batch: currents, refreshes and sums some elements at a time, on the clear engine, beside the same layers one after another. */
import {
  createClearEngine,
  createFunctionalBootstrapping,
  FUNCTIONAL_SETS,
  functionalLiteral,
  gridFunction,
  insecureParameters,
} from '@he-ml/ckks-core'
import { createTensor, type Tensor } from '@he-ml/model'
import {
  createBatchLayout,
  type LoweredLayer,
  lowerRefresh,
  lowerStream,
  PackedTensor,
  pack,
  type RefreshCell,
  type StreamPart,
  unpack,
} from '@he-ml/packing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { conv2d, sumPool2d } from '../index.ts'

const SLOTS = 16
const POINTS = 16
const grid = (f: (k: number) => number) => Array.from({ length: 14 }, (_, i) => ({ index: i - 7, value: f(i - 7) }))
const fires = gridFunction({ points: POINTS, values: grid((k) => (k >= 1 ? 1 : 0)), cleaned: true })
const half = gridFunction({ points: POINTS, values: grid((k) => (k >= 1 ? 0 : Math.round(k / 2))) })

const image = createBatchLayout([1, 4, 4], { slots: SLOTS })
const neurons = createBatchLayout([2, 4, 4], { slots: SLOTS })
const context = { maxSlots: 512 }
const weights = createTensor(
  [2, 1, 3, 3],
  Float64Array.from({ length: 18 }, (_, i) => ((i * 5) % 3) - 1),
)
const conv = conv2d({ name: 'conv', weights, padding: [1, 1, 1, 1] }).lower([image], context)
const cell = (more: Partial<RefreshCell> = {}): RefreshCell => ({
  name: 'n',
  inputs: [neurons],
  start: 1,
  period: POINTS,
  functions: [fires, half],
  points: POINTS,
  ...more,
})
const sumOf = (kernel: [number, number], stride = kernel): LoweredLayer =>
  sumPool2d({ name: 'pool', kernel, stride }).lower([neurons], context)
const part = (circuit: LoweredLayer, ...inputs: StreamPart['inputs']): StreamPart => ({ circuit, inputs })

const first = lowerRefresh(cell())
const second = lowerRefresh(cell({ inputs: [neurons, neurons], functions: [fires] }))
const pool = sumOf([2, 2])
const current = part(conv, image)
const stages = [
  { before: current, refresh: part(first, neurons), after: [part(pool, neurons), undefined] },
  { before: current, refresh: part(second, neurons, neurons), after: [part(pool, neurons)], carried: 1 },
]

describe('a stream', () => {
  const base = FUNCTIONAL_SETS['N16-P64']
  const spec = { ...base.spec, slots: SLOTS, content: 'complex', functionLevels: 5 } as const
  const parameters = insecureParameters(
    functionalLiteral({ ...base, logN: 10, specialBits: new Array(12).fill(47.5), spec }),
  )
  const engine = createClearEngine(parameters)
  const level = spec.slotsToCoeffs + 1
  let refresh: Awaited<ReturnType<ReturnType<typeof createFunctionalBootstrapping>['prepare']>>
  beforeAll(async () => {
    refresh = await createFunctionalBootstrapping(parameters, spec).prepare(engine, { periods: [POINTS] })
  })
  afterAll(() => refresh.dispose())

  const images = Array.from({ length: SLOTS }, (_, i): Tensor => {
    const data = Float64Array.from({ length: 16 }, (_, k) => (Math.sin(7 * i + 3 * k) > 0.3 ? 1 : 0))
    return createTensor([1, 4, 4], data)
  })
  const given = () =>
    new PackedTensor(
      image,
      pack(images, image).map((v) => engine.encryptClear(v, { level })),
    )
  const read = (output: PackedTensor) =>
    unpack(
      output.ciphertexts.map((c) => engine.readClear(c).re),
      output.layout,
      SLOTS,
    )

  /** What both images' layers give in the clear. */
  const wanted = (steps: number) =>
    images.map((x) => {
      const [charges] = [conv2d({ name: 'conv', weights, padding: [1, 1, 1, 1] }).forward([x])]
      let membrane = new Float64Array(32).fill(1)
      const pooled: Tensor[] = []
      for (let t = 0; t < steps; t++) {
        const charged = charges.data.map((c, i) => c + membrane[i]!)
        const spikes = charged.map((k) => (k >= 1 ? 1 : 0))
        membrane = charged.map((k) => (k >= 1 ? 0 : Math.round(k / 2)))
        pooled.push(sumPool2d({ name: 'pool', kernel: [2, 2] }).forward([createTensor([2, 4, 4], spikes)]))
      }
      return { pooled, membrane }
    })

  const apply = async (circuit: LoweredLayer, inputs: readonly PackedTensor[]) => {
    using prepared = await circuit.prepare(engine, { level })
    return prepared.apply(engine, inputs, { refresh })
  }
  const close = (got: Tensor, want: ArrayLike<number>) => {
    for (const [i, x] of got.data.entries()) expect(Math.abs(x - want[i]!)).toBeLessThan(0.05)
  }

  it('gives what its layers give one after another, over two steps', async () => {
    const stream = lowerStream('all', stages)!
    expect(stream.outputs.map(({ shape }) => shape)).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ])
    expect([stream.depth, stream.refresh!.ciphertexts]).toEqual([1, 64])
    const held = engine.memory().total
    const [one, two] = [given(), given()]
    const outputs = await apply(stream, [one, two])
    const got = outputs.map(read)
    for (const [i, { pooled }] of wanted(2).entries()) for (const t of [0, 1]) close(got[t]![i]!, pooled[t]!.data)
    for (const handle of [one, two, ...outputs]) handle.dispose()
    expect(engine.memory().total).toBe(held)
  })

  it('keeps a membrane that others read, with the elements that no sum reads', async () => {
    // windows of 3 x 3 leave a row and a column
    const odd = sumOf([3, 3])
    const stream = lowerStream('one', [
      { before: current, refresh: part(first, neurons), after: [part(odd, neurons), undefined] },
    ])!
    const input = given()
    const [sums, membrane] = await apply(stream, [input])
    expect(sums!.layout.shape).toEqual([2, 1, 1])
    const got = read(membrane!)
    for (const [i, { membrane: want }] of wanted(1).entries()) close(got[i]!, want)
    for (const handle of [input, sums!, membrane!]) handle.dispose()
  })

  it('holds less than the layers one after another', async () => {
    /** Bytes above the inputs. */
    const most = async (circuits: readonly [LoweredLayer, number][]) => {
      const own = createClearEngine(parameters)
      using circuit = await createFunctionalBootstrapping(parameters, spec).prepare(own, { periods: [POINTS] })
      const encrypted = pack(images, image).map((v) => own.encryptClear(v, { level }))
      let values: readonly PackedTensor[] = [new PackedTensor(image, encrypted)]
      const before = own.memory()
      for (const [lowered, at] of circuits) {
        using prepared = await lowered.prepare(own, { level: at })
        const next = await prepared.apply(own, values, { refresh: circuit })
        for (const value of values) value.dispose()
        values = next
      }
      expect(own.memory().peak).toBeGreaterThan(before.peak)
      return own.memory().peak - before.total
    }
    const { before, refresh: refreshing, after } = stages[0]!
    const stream = lowerStream('one', [{ before, refresh: refreshing, after }])!
    const apart = await most([
      [conv, level],
      [first, level - 1],
    ])
    expect(await most([[stream, level]])).toBeLessThan(0.95 * apart)
  })

  it('leaves nothing behind when it is cancelled or fails', async () => {
    const held = engine.memory().total
    const stream = lowerStream('all', stages)!
    using prepared = await stream.prepare(engine, { level })
    const inputs = [given(), given()]
    const own = engine.memory().total
    let left = 3
    const failing = {
      evaluateTogether: (...args: Parameters<typeof refresh.evaluateTogether>) => {
        if (left-- === 0) throw new Error('out of order')
        return refresh.evaluateTogether(...args)
      },
    }
    await expect(prepared.apply(engine, inputs, { refresh: failing })).rejects.toThrow(/out of order/)
    expect(engine.memory().total).toBe(own)
    const signal = AbortSignal.abort()
    await expect(prepared.apply(engine, inputs, { refresh, signal })).rejects.toThrow(/cancelled/)
    for (const handle of inputs) handle.dispose()
    expect(engine.memory().total).toBe(held)
  })

  it('is none where its parts cannot go element by element', () => {
    const refreshing = part(first, neurons)
    const none = [undefined, undefined]
    // nothing is summed, so nothing is saved
    expect(lowerStream('no sum', [{ before: current, refresh: refreshing, after: none }])).toBeUndefined()
    const overlapping = sumOf([2, 2], [1, 1])
    expect(
      lowerStream('overlap', [{ refresh: refreshing, after: [part(overlapping, neurons), undefined] }]),
    ).toBeUndefined()
    const deeper = { ...pool, depth: 1 }
    expect(lowerStream('depth', [{ refresh: refreshing, after: [part(deeper, neurons), undefined] }])).toBeUndefined()
    const other = lowerRefresh(cell({ period: 2 * POINTS }))
    const sums = [part(pool, neurons), undefined]
    expect(
      lowerStream('periods', [
        { refresh: refreshing, after: sums },
        { refresh: part(other, neurons), after: sums },
      ]),
    ).toBeUndefined()
    expect(
      lowerStream('depths', [
        stages[0]!,
        { refresh: part(second, neurons, neurons), after: [part(pool, neurons)], carried: 1 },
      ]),
    ).toBeUndefined()
    expect(lowerStream('no refresh', [{ refresh: part(pool, neurons), after: [undefined] }])).toBeUndefined()
  })
})
