/** What the port promises beside values: errors at the line, failures that travel, cancellation, closing, two engines. */
import {
  CancelledError,
  type Ciphertext,
  DisposedError,
  type HeMlError,
  InvalidArgumentError,
  insecureParametersWithFiles,
  LevelError,
  MissingKeyError,
  ParameterMismatchError,
  ScaleError,
} from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStack, randomValues, rotationKeys, type Stack } from './native.test-helper.ts'
import { createNativeEngine } from './native-engine.ts'

const parameters = insecureParametersWithFiles({ logN: 12, levels: 4, scaleBits: 40 })
let stack: Stack
let x: Ciphertext

beforeAll(async () => {
  stack = await createStack(parameters, { relinearization: 3, rotations: rotationKeys([1, 2], 4) }, { threads: 2 })
  x = (await stack.encrypt(randomValues(64, 1))).native
})
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
})

/** Enough work that most of it still waits when the call returns. */
function flood(count: number): Ciphertext[] {
  const results: Ciphertext[] = []
  for (let i = 0; i < count; i++) results.push(stack.server.rotate(results.at(-1) ?? x, 1))
  return results
}

describe('errors are typed and thrown at the line', () => {
  const cases: [string, new (message: string) => HeMlError, (s: Stack) => unknown][] = [
    ['levels differ', LevelError, ({ server }) => server.add(x, server.dropLevel(x, 2))],
    ['scales differ', ScaleError, ({ server }) => server.add(x, server.square(x))],
    ['no level left', LevelError, ({ server }) => server.rescale(server.dropLevel(x, 0))],
    [
      'the scale outgrows the modulus',
      ScaleError,
      ({ server }) => server.mul(server.dropLevel(x, 0), server.dropLevel(x, 0)),
    ],
    ['a rotation without key', MissingKeyError, ({ server }) => server.rotate(x, 3)],
    ['a conjugation without key', MissingKeyError, ({ server }) => server.conjugate(x)],
    ['a key of too low a level', MissingKeyError, ({ server }) => server.relinearize(server.square(x))],
    ['degree 2 where 1 is wanted', InvalidArgumentError, ({ server }) => server.rotate(server.square(x), 1)],
    [
      'NaN in a plaintext',
      InvalidArgumentError,
      ({ server }) => server.encode(Float64Array.of(1, Number.NaN), { level: 1, scale: 2 ** 40 }),
    ],
    [
      'a lazy source of another length',
      InvalidArgumentError,
      ({ server }) => server.encode({ slots: 4, values: () => new Float64Array(8) }, { level: 1, scale: 2 ** 40 }),
    ],
    [
      'a level that does not exist',
      LevelError,
      ({ server }) => server.encode(Float64Array.of(1), { level: 9, scale: 2 ** 40 }),
    ],
    ['a constant that is too large', InvalidArgumentError, ({ server }) => server.addScalar(x, 2 ** 100)],
    [
      'a handle of the clear engine',
      ParameterMismatchError,
      ({ server, clear }) => server.negate(clear.encryptClear(Float64Array.of(1))),
    ],
    ['something else', ParameterMismatchError, ({ server }) => server.negate({} as Ciphertext)],
    ['no terms', InvalidArgumentError, ({ server }) => server.sum([])],
  ]
  it.each(cases)('%s', (_, type, call) => {
    expect(() => call(stack)).toThrow(type)
  })
  it('refuses handles after dispose, also to export', async () => {
    const { server } = stack
    const y = server.negate(x)
    y.dispose()
    y.dispose()
    expect(() => server.negate(y)).toThrow(DisposedError)
    await expect(y.ready()).rejects.toThrow(DisposedError)
    await expect(server.exportCiphertext(y)).rejects.toThrow(DisposedError)
  })
  it.each([-1, 1.5, Number.NaN, 5000])('refuses %d threads', (threads) => {
    expect(() => createNativeEngine(parameters, { threads })).toThrow(InvalidArgumentError)
  })
  it('refuses a negative ceiling', () => {
    expect(() => createNativeEngine(parameters, { memoryCeiling: -1 })).toThrow(InvalidArgumentError)
  })
})

describe('the queue', () => {
  it('passes the failure of an operation on to all that depend on it, and to drain, once', async () => {
    const { server } = stack
    // known only to the encoder, on its own thread
    const tooLarge = server.encode(Float64Array.of(1e30), { level: 1, scale: 2 ** 40 })
    const y = server.mulPlain(server.dropLevel(x, 1), tooLarge)
    const z = server.add(y, y)
    await expect(z.ready()).rejects.toThrow(InvalidArgumentError)
    await expect(y.ready()).rejects.toThrow(/too large/)
    await expect(server.exportCiphertext(z)).rejects.toThrow(/too large/)
    await expect(server.drain()).rejects.toThrow(InvalidArgumentError)
    await server.drain()
    await x.ready()
  })
  it('cancels what has not started, and works on', async () => {
    const { server } = stack
    // a machine with other work may let the engine finish before it lets this thread cancel: then it gets more to do
    let failure: unknown
    for (let count = 300; failure === undefined && count < 1e6; count *= 2) {
      const results = flood(count)
      server.cancel()
      failure = await results
        .at(-1)!
        .ready()
        .then(
          () => undefined,
          (error: unknown) => error,
        )
      for (const r of results) r.dispose()
    }
    expect(failure).toBeInstanceOf(CancelledError)
    await server.drain()
    expect(server.progress().queued).toBe(0)
    const after = server.rotate(x, 1)
    await after.ready()
  })
  it('counts', async () => {
    const { server } = stack
    await server.drain()
    for (let count = 20, queued = 0; queued === 0 && count < 1e6; count *= 2) {
      const before = server.progress().done
      const results = flood(count)
      queued = server.progress().queued
      await server.drain()
      expect(server.progress()).toMatchObject({ done: before + count, queued: 0 })
      for (const r of results) r.dispose()
      if (queued > 0) expect(queued).toBeLessThanOrEqual(count)
    }
  })
  it('computes what depends on handles that were disposed of early, and gives all memory back', async () => {
    const { server, clear } = stack
    await server.drain()
    const before = server.memory().ciphertexts
    const input = await stack.encrypt(randomValues(64, 5))
    let native = input.native
    let twin = input.clear
    for (let i = 0; i < 30; i++) {
      const next = server.rotate(native, 1)
      native.dispose()
      native = next
      twin = clear.rotate(twin, 1)
    }
    expect(await stack.precision({ native, clear: twin })).toBeGreaterThan(24)
    native.dispose()
    const unread = flood(10)
    for (const u of unread) u.dispose()
    await server.drain()
    expect(server.memory().ciphertexts).toBe(before)
  })
  it('obeys its ceiling without a deadlock', async () => {
    const small = await createStack(parameters, { rotations: rotationKeys([1], 4) }, { threads: 2, memoryCeiling: 1 })
    const { native, clear } = await small.encrypt(randomValues(64, 6))
    const turned = small.server.rotate(native, 1)
    expect(await small.precision({ native: turned, clear: small.clear.rotate(clear, 1) })).toBeGreaterThan(24)
    await small[Symbol.asyncDispose]()
  })
})

describe('closing', () => {
  it('with work in the queue cancels it; afterwards everything says so', async () => {
    const other = await createStack(parameters, { rotations: rotationKeys([1], 4) }, { threads: 2 })
    const { server } = other
    const { native } = await other.encrypt(randomValues(64, 1))
    let last = native
    // ten seconds of work: no machine does it between this line and the end of the engine
    for (let i = 0; i < 30_000; i++) {
      const next = server.rotate(last, 1)
      if (last !== native) last.dispose()
      last = next
    }
    const fate = expect(last.ready()).rejects.toThrow(CancelledError)
    const exported = expect(server.exportCiphertext(last)).rejects.toThrow(CancelledError)
    await server.dispose()
    await fate
    await exported
    await server.dispose()
    expect(() => server.negate(native)).toThrow(DisposedError)
    expect(() => server.memory()).toThrow(DisposedError)
    expect(() => server.progress()).toThrow(DisposedError)
    expect(() => server.encode(Float64Array.of(1), { level: 1, scale: 2 ** 40 })).toThrow(DisposedError)
    await expect(server.drain()).rejects.toThrow(DisposedError)
    await expect(server.exportCiphertext(native)).rejects.toThrow(DisposedError)
    server.cancel()
    native.dispose()
    await other.client.dispose()
  })
})

describe('two engines in one process', () => {
  it('work side by side, and their handles do not mix', async () => {
    const other = await createStack(insecureParametersWithFiles({ logN: 10, levels: 2, scaleBits: 30 }), {
      rotations: rotationKeys([1], 2),
    })
    const mine = await stack.encrypt(randomValues(64, 8))
    const theirs = await other.encrypt(randomValues(64, 9))
    const a = stack.server.rotate(mine.native, 1)
    const b = other.server.rotate(theirs.native, 1)
    expect(() => stack.server.add(a, b)).toThrow(ParameterMismatchError)
    expect(await stack.precision({ native: a, clear: stack.clear.rotate(mine.clear, 1) })).toBeGreaterThan(24)
    expect(await other.precision({ native: b, clear: other.clear.rotate(theirs.clear, 1) })).toBeGreaterThan(14)
    const file = await other.server.exportCiphertext(b)
    await expect(stack.server.importCiphertext(file)).rejects.toThrow(ParameterMismatchError)
    await other[Symbol.asyncDispose]()
    await stack.server.rotate(mine.native, 2).ready()
  })
})
