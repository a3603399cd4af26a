import { expect, it } from 'vitest'
import { createClearEngine } from '../engines/clear/clear-engine.ts'
import { MemoryError, MissingKeyError } from '../errors/errors.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import { type KeyNeed, keyBytes } from '../port/keys.ts'
import { createDeclaredKeyStore } from './declared-key-store.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 30 })
const turn = (steps: number): KeyNeed => ({ kind: 'rotation', steps, level: 3 })
const request = {
  relinearization: 2,
  rotations: [1, 2].map((steps) => ({ steps, level: 3 })),
  conjugation: 3,
  encapsulation: 3,
}

it('lets the clear engine find exactly what is resident', async () => {
  const keys = createDeclaredKeyStore(parameters, request, { budget: keyBytes(parameters, turn(1)) })
  const engine = createClearEngine(parameters, { keys })
  const x = engine.encryptClear(Float64Array.of(1, 2, 3, 4))
  expect(() => engine.rotate(x, 1)).toThrow(MissingKeyError)
  {
    using _ = await keys.acquire([turn(1)])
    expect(engine.readClear(engine.rotate(x, 1)).re).toEqual(Float64Array.of(2, 3, 4, 1))
    expect(() => engine.rotate(x, 2)).toThrow(MissingKeyError)
    expect(engine.loadedKeys).toEqual({ rotations: [{ steps: 1, level: 3 }] })
  }
  using lease = await keys.acquire([turn(2)])
  expect(lease.bytes).toBe(keyBytes(parameters, turn(2)))
  engine.rotate(x, 2)
  expect(() => engine.rotate(x, 1)).toThrow(MissingKeyError)
  await expect(keys.acquire([turn(1), turn(2)])).rejects.toThrow(MemoryError)
})

it('knows every kind of key', async () => {
  const keys = createDeclaredKeyStore(parameters, request)
  const needs: KeyNeed[] = [
    { kind: 'relinearization', level: 2 },
    { kind: 'conjugation', level: 1 },
    { kind: 'encapsulation', level: 3 },
    turn(2),
  ]
  for (const need of needs) expect(keys.has(need)).toBe(true)
  const raising = createDeclaredKeyStore(parameters, { ...request, raising: [3, 8] })
  for (const [steps, there] of [
    [[3], true],
    [[], true],
    [[3, 8], true],
    [[4], false],
    [undefined, true],
  ] as const) {
    const need = { kind: 'encapsulation', level: 2, ...(steps ? { steps } : {}) } as const
    expect(raising.has(need)).toBe(there)
    expect(keys.has(need)).toBe(steps === undefined)
  }
  expect(keys.has({ kind: 'relinearization', level: 3 })).toBe(false)
  using _ = await keys.acquire(needs)
  expect(keys.resident).toEqual({ ...request, rotations: [{ steps: 2, level: 3 }] })
})
