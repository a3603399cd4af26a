import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../engines/clear/clear-engine.ts'
import { CancelledError, DisposedError, InvalidArgumentError } from '../errors/errors.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import { createMemoryCiphertextStore } from './create-memory-ciphertext-store.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 30 })
const engine = createClearEngine(parameters)
const fresh = (count: number) =>
  Array.from({ length: count }, (_, i) => engine.encryptClear(Float64Array.of(i, i + 0.5), { level: 1 + (i % 3) }))

describe('ciphertexts put away in memory', () => {
  it('come back the same, in order, as often as wanted, and take no room of the engine meanwhile', async () => {
    await using store = createMemoryCiphertextStore(engine)
    const before = engine.memory().ciphertexts
    const given = fresh(7)
    const wanted = given.map((c) => ({ ...engine.readClear(c), level: c.level, slots: c.slots }))
    const spilled = await store.spill(given)
    for (const c of given) c.dispose()
    expect(engine.memory().ciphertexts).toBe(before)
    expect(spilled.count).toBe(7)
    expect(spilled.bytes).toBeGreaterThan(7 * 16)
    expect(store.bytes).toBe(spilled.bytes)
    for (let i = 0; i < 2; i++) {
      const back = await store.restore(spilled)
      expect(back.map((c) => ({ ...engine.readClear(c), level: c.level, slots: c.slots }))).toEqual(wanted)
      for (const c of back) c.dispose()
    }
    await store.drop(spilled)
    await store.drop(spilled)
    expect(store.bytes).toBe(0)
    await expect(store.restore(spilled)).rejects.toThrow(InvalidArgumentError)
  })

  it('are refused by another store, and after the end', async () => {
    const store = createMemoryCiphertextStore(engine)
    await using other = createMemoryCiphertextStore(engine)
    const spilled = await store.spill(fresh(1))
    await expect(other.restore(spilled)).rejects.toThrow(/another store/)
    await other.drop(spilled)
    expect(store.bytes).toBeGreaterThan(0)
    await store.dispose()
    await store[Symbol.asyncDispose]()
    expect(store.bytes).toBe(0)
    await expect(store.restore(spilled)).rejects.toThrow(DisposedError)
    await expect(store.spill(fresh(1))).rejects.toThrow(DisposedError)
  })

  it('leave nothing behind when it fails or is cancelled', async () => {
    await using store = createMemoryCiphertextStore(engine)
    const given = fresh(5)
    given[3]!.dispose()
    await expect(store.spill(given)).rejects.toThrow(DisposedError)
    await expect(store.spill(fresh(2), { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
    expect(store.bytes).toBe(0)
    const spilled = await store.spill(fresh(4))
    const before = engine.memory().ciphertexts
    const controller = new AbortController()
    const restoring = store.restore(spilled, { signal: controller.signal })
    controller.abort()
    await expect(restoring).rejects.toThrow(CancelledError)
    expect(engine.memory().ciphertexts).toBe(before)
  })
})
