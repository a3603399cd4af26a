import {
  CancelledError,
  type Ciphertext,
  FormatError,
  InvalidArgumentError,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import { createNativeEngine } from '@he-ml/ckks-native'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import {
  approximate,
  bitsOfCopies,
  clearStage,
  images,
  leastBits,
  MemoryCheckpoints,
  type NativeStage,
  nativeStage,
  precisionBits,
  smallCnn,
} from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import type { CheckpointStore } from './checkpoint.ts'
import { Runner } from './run.ts'

describe.each([
  { packing: 'multiplexed', count: 1, batch: {} },
  { packing: 'batch', count: 5, batch: { batch: 8 } },
] as const)('a small network, $packing', ({ packing, count, batch }) => {
  let bound: BoundPlan
  let native: NativeStage
  let runner: Runner
  let inputs: Ciphertext[]
  const given = images(count)
  beforeAll(async () => {
    bound = await compileAndBind(smallCnn(), { packing, scaleBits: 28, ...batch })
    native = await nativeStage(bound)
    runner = new Runner(bound, native.engine)
    inputs = await native.encrypt(given)
  })
  afterAll(async () => {
    await native[Symbol.asyncDispose]()
  })
  const want = () => given.map((image) => approximate(bound.model, image))

  it('computes on the clear engine what it computes in the clear', async () => {
    for (const noise of [false, true]) {
      const stage = clearStage(bound, noise)
      const output = await new Runner(bound, stage.engine).run(await stage.encrypt(given))
      const bits = precisionBits(await stage.decrypt(output, count), want())
      // the noise of the clear engine starts from the same seed every time
      expect(bits).toBeGreaterThan(noise ? bound.plan.report.precisionBits - bitsOfCopies(bound) - 3 : 30)
    }
  })

  it('computes on ciphertexts what it computes in the clear, within the predicted precision', async () => {
    const output = await runner.run(inputs)
    const bits = precisionBits(await native.decrypt(output, count), want())
    console.log(`${packing}: predicted ${bound.plan.report.precisionBits.toFixed(1)} bits, real ${bits.toFixed(1)}`)
    expect(bits).toBeGreaterThan(leastBits(bound, count))
    expect(output.level).toBe(bound.plan.output.level)
    output.dispose()
  })

  it('reports progress that only grows, from 0 to 1', async () => {
    const fractions: number[] = []
    const output = await runner.run(inputs, { onProgress: (p) => fractions.push(p.fraction) })
    output.dispose()
    expect(fractions[0]).toBe(0)
    expect(fractions.at(-1)).toBe(1)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
  })

  it('stops when told, gives the memory back, and runs again', async () => {
    await native.engine.drain()
    const before = native.engine.memory().ciphertexts
    for (const keepWeights of [true, false]) {
      await using fresh = new Runner(bound, native.engine)
      const controller = new AbortController()
      let layers = 0
      const cancelled = fresh.run(inputs, {
        signal: controller.signal,
        keepWeights,
        onProgress: () => {
          if (++layers === 2) controller.abort()
        },
      })
      await expect(cancelled).rejects.toThrow(CancelledError)
      await native.engine.drain()
      expect(native.engine.memory().ciphertexts).toBe(before)
      const output = await fresh.run(inputs, { keepWeights })
      expect(precisionBits(await native.decrypt(output, count), want())).toBeGreaterThan(leastBits(bound, count))
      output.dispose()
    }
    await expect(runner.run(inputs, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
    await native.engine.drain()
    expect(native.engine.memory().ciphertexts).toBe(before)
  })

  it('goes on from a checkpoint after every place where it may die', async () => {
    const store = new MemoryCheckpoints()
    const total = (await runner.run(inputs, { checkpoints: store })).dispose() ?? store.puts
    expect(store.files.size).toBe(0)
    expect(total).toBeGreaterThan(3)
    for (let failAt = 1; failAt <= total; failAt += packing === 'batch' ? 29 : 1) {
      const broken = new MemoryCheckpoints()
      broken.failAt = failAt
      await expect(runner.run(inputs, { checkpoints: broken })).rejects.toThrow(/disk is full/)
      broken.failAt = Number.POSITIVE_INFINITY
      const layers: string[] = []
      const output = await runner.run(inputs, { checkpoints: broken, onProgress: (p) => layers.push(p.layer) })
      expect(precisionBits(await native.decrypt(output, count), want())).toBeGreaterThan(leastBits(bound, count))
      output.dispose()
    }
  })

  it('refuses checkpoints that were damaged, and ignores those of other inputs', async () => {
    const store = new MemoryCheckpoints()
    store.failAt = Number.POSITIVE_INFINITY
    const dying: CheckpointStore = {
      put: (name, bytes) => store.put(name, bytes),
      get: (name) => store.get(name),
      delete: (name) => store.delete(name),
      clear: async () => {
        throw new Error('dies at the end')
      },
    }
    await expect(runner.run(inputs, { checkpoints: dying })).rejects.toThrow('dies at the end')
    const good = new Map(store.files)
    await native.engine.drain()
    const before = native.engine.memory().ciphertexts
    const index = JSON.parse(new TextDecoder().decode(good.get('index.json')))
    const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
    const file = index.values[0].files.at(-1)
    const last = file.name
    const damages: [string, Uint8Array | undefined][] = [
      ['index.json', new Uint8Array([0xff, 0xfe])],
      ['index.json', json(null)],
      ['index.json', json({ ...index, done: [99] })],
      ['index.json', json({ ...index, values: [] })],
      ['index.json', json({ ...index, values: [{ id: 'nobody', files: [file] }] })],
      ['index.json', json({ ...index, values: [{ id: index.values[0].id, files: [] }] })],
      [last, undefined],
      [last, good.get(last)!.slice(0, -1)],
      [last, good.get(last)!.map((b, i) => (i === 5000 ? b ^ 1 : b))],
    ]
    for (const [name, bytes] of damages) {
      const damaged = new MemoryCheckpoints()
      for (const [key, value] of good) damaged.files.set(key, value)
      if (bytes) damaged.files.set(name, bytes)
      else damaged.files.delete(name)
      await expect(runner.run(inputs, { checkpoints: damaged }), name).rejects.toThrow(FormatError)
    }
    await native.engine.drain()
    expect(native.engine.memory().ciphertexts).toBe(before)
    const others = await native.encrypt(images(count, 999))
    const layers: number[] = []
    const output = await runner.run(others, { checkpoints: store, onProgress: (p) => layers.push(p.layerIndex) })
    expect(layers[0]).toBe(0)
    expect(store.files.size).toBe(0)
    output.dispose()
  })

  it('refuses what does not fit', async () => {
    await expect(runner.run(inputs, { memory: 1000 })).rejects.toThrow(MemoryError)
    const lean = { memory: bound.plan.report.memory.leanPeakBytes, keepWeights: false }
    await using fresh = new Runner(bound, native.engine)
    await expect(fresh.run(inputs, { ...lean, memory: lean.memory - 1 })).rejects.toThrow(MemoryError)
    ;(await fresh.run(inputs, lean)).dispose()
    await expect(runner.run(inputs.slice(1))).rejects.toThrow(InvalidArgumentError)
    for (const [options, says] of [
      [{ checkpoint: {} }, /run: there is no option checkpoint: did you mean checkpoints\?/],
      [{ memory: '4e9' }, /memory must be a number of at least 0, got "4e9"/],
      [null, /options must be an object, got null/],
    ] as const) {
      const call = runner.run(inputs, options as never)
      await expect(call).rejects.toThrow(InvalidArgumentError)
      await expect(call).rejects.toThrow(says)
    }
    const low = inputs.map((c) => native.engine.dropLevel(c, 0))
    await expect(runner.run(low)).rejects.toThrow(/at level 0, the plan needs/)
    const bare = createNativeEngine(bound.parameters)
    expect(() => new Runner(bound, bare)).toThrow(MissingKeyError)
    expect(() => new Runner(bound, bare)).toThrow(/relinearization at level/)
    const other = await compileAndBind(smallCnn(), { packing, scaleBits: 27, ...batch })
    expect(() => new Runner(other, native.engine)).toThrow(ParameterMismatchError)
    await bare.dispose()
  })
})
