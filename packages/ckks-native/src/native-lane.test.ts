/** Two scopes of one engine: what happens on one does not show on the other. */
import {
  CancelledError,
  type Ciphertext,
  DisposedError,
  type Encoder,
  type Evaluator,
  InvalidArgumentError,
  insecureParametersWithFiles,
  type Lane,
} from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStack, randomValues, rotationKeys, type Stack } from './native.test-helper.ts'

const parameters = insecureParametersWithFiles({ logN: 12, levels: 4, scaleBits: 40 })
let stack: Stack
let x: Ciphertext
beforeAll(async () => {
  stack = await createStack(parameters, { relinearization: 4, rotations: rotationKeys([1, 2], 4) }, { threads: 2 })
  x = (await stack.encrypt(randomValues(64, 1))).native
})
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
})

/** A chain of rotations; far more than can be done before the call returns. */
function flood(lane: Pick<Lane, 'rotate'>, count: number): Ciphertext {
  let last = x
  for (let i = 0; i < count; i++) {
    const next = lane.rotate(last, 1)
    if (last !== x) last.dispose()
    last = next
  }
  return last
}

/** Some work whose every bit depends on everything. */
function circuit(lane: Encoder & Evaluator): Ciphertext {
  let y = lane.rotate(x, 2)
  for (let i = 0; i < 3; i++) y = lane.addScalar(lane.rescale(lane.relinearize(lane.square(y))), 0.25)
  return y
}

describe('two lanes of one engine', () => {
  it('cancel apart: the other ends with the same bits as alone', async () => {
    const { server } = stack
    const alone = circuit(server)
    const wanted = await server.exportCiphertext(alone)
    for (let count = 2000; ; count *= 2) {
      await using one = server.openLane()
      await using two = server.openLane()
      const doomed = flood(one, count)
      const kept = circuit(two)
      one.cancel()
      const fate = await doomed.ready().then(
        () => undefined,
        (error: unknown) => error,
      )
      await two.drain()
      expect(await two.exportCiphertext(kept)).toEqual(wanted)
      await one.drain()
      expect(one.progress().queued).toBe(0)
      // a machine with other work may let the engine finish before it lets this thread cancel: then it gets more to do
      if (fate === undefined && count < 1e6) continue
      expect(fate).toBeInstanceOf(CancelledError)
      // the lane works on
      expect(await server.exportCiphertext(circuit(one))).toEqual(wanted)
      return
    }
  })

  it('fail apart', async () => {
    const { server } = stack
    await using one = server.openLane()
    await using two = server.openLane()
    // known only to the encoder, on its own thread
    const tooLarge = one.encode(Float64Array.of(1e30), { level: 1, scale: 2 ** 40 })
    const bad = one.mulPlain(one.dropLevel(x, 1), tooLarge)
    const good = two.rotate(x, 1)
    const mixed = two.mulInteger(bad, 2)
    await expect(mixed.ready()).rejects.toThrow(InvalidArgumentError)
    await good.ready()
    await two.drain()
    await server.drain()
    await expect(one.drain()).rejects.toThrow(/too large/)
    await one.drain()
  })

  it('count and hold apart, on handles that both may use', async () => {
    const { server } = stack
    await server.drain()
    await using one = server.openLane()
    await using two = server.openLane({ memory: 1 })
    const before = server.progress().done
    const a = one.rotate(x, 1)
    const b = two.add(two.rotate(a, 1), a)
    await two.drain()
    expect(a.owner).toBe(server)
    expect([server.threads, one.threads]).toEqual([2, 2])
    expect(one.progress()).toEqual({ queued: 0, done: 1 })
    expect(two.progress()).toEqual({ queued: 0, done: 2 })
    expect(server.progress().done).toBe(before)
    const bytes = 2 * parameters.limbsAt(4) * parameters.ringDegree * 8
    expect(one.memory().ciphertexts).toBe(bytes)
    expect(two.memory().ciphertexts).toBe(2 * bytes)
    expect(server.memory().ciphertexts).toBeGreaterThanOrEqual(3 * bytes)
    expect(one.memory().keys).toBe(0)
    expect(server.memory().keys).toBeGreaterThan(0)
    a.dispose()
    expect(one.memory().ciphertexts).toBe(0)
    expect(two.memory().peak).toBeGreaterThanOrEqual(2 * bytes)
    b.dispose()
  })

  it('read and write files', async () => {
    const { server } = stack
    await using lane = server.openLane()
    const bytes = await lane.exportCiphertexts([x, lane.rotate(x, 1)], { request: '00'.repeat(16) })
    const { ciphertexts, names } = await lane.importCiphertexts(bytes)
    expect(ciphertexts).toHaveLength(2)
    expect(names).toEqual({ request: '00'.repeat(16) })
    expect(lane.memory().ciphertexts).toBeGreaterThan(0)
    expect(await server.exportCiphertext(ciphertexts[0]!)).toEqual(await server.exportCiphertext(x))
  })
})

describe('the end of a lane', () => {
  it('leaves its handles, and refuses work', async () => {
    const { server } = stack
    const lane = server.openLane()
    const y = lane.rotate(x, 1)
    await y.ready()
    const waiting = flood(lane, 5000)
    const fate = waiting.ready().catch((error: unknown) => error)
    await lane.dispose()
    await lane.dispose()
    lane.cancel()
    await fate
    expect(() => lane.rotate(x, 1)).toThrow(DisposedError)
    expect(() => lane.memory()).toThrow(DisposedError)
    await expect(lane.drain()).rejects.toThrow(DisposedError)
    await expect(lane.exportCiphertext(y)).rejects.toThrow(DisposedError)
    expect(await server.exportCiphertext(server.rotate(y, 1))).toEqual(await server.exportCiphertext(flood(server, 2)))
    expect(lane.engine).toBe(server)
    const other = lane.openLane()
    await other.rotate(y, 1).ready()
    await other.dispose()
  })

  it('comes with its signal', async () => {
    const { server } = stack
    const controller = new AbortController()
    await using lane = server.openLane({ signal: controller.signal })
    const last = flood(lane, 3000)
    controller.abort()
    // it was cancelled, unless the machine had done it all before
    await last.ready().catch((error: unknown) => expect(error).toBeInstanceOf(CancelledError))
    await lane.drain()
    expect(lane.progress().queued).toBe(0)
    expect(() => lane.rotate(x, 1)).toThrow(CancelledError)
    expect(() => server.openLane({ signal: AbortSignal.abort() })).toThrow(CancelledError)
    expect(() => server.openLane({ memory: -1 })).toThrow(InvalidArgumentError)
  })

  it('comes with the engine', async () => {
    const other = await createStack(parameters, { rotations: rotationKeys([1], 4) }, { threads: 2 })
    const { native } = await other.encrypt(randomValues(64, 1))
    const lane = other.server.openLane()
    const y = lane.rotate(native, 1)
    const fate = y.ready().catch((error: unknown) => expect(error).toBeInstanceOf(CancelledError))
    await other.server.dispose()
    await fate
    expect(() => lane.negate(native)).toThrow(DisposedError)
    expect(() => other.server.openLane()).toThrow(DisposedError)
    await lane.dispose()
    await other.client.dispose()
  })
})
