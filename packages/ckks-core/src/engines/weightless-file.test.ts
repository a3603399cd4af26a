import { describe, expect, it } from 'vitest'
import { FormatError, HeMlError, InvalidArgumentError, ParameterMismatchError } from '../errors/errors.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import { createClearEngine } from './clear/clear-engine.ts'
import { createPlanEngine } from './plan/plan-engine.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 30 })
const clear = createClearEngine(parameters)
const plan = createPlanEngine(parameters)

describe('files of the clear engine', () => {
  it('keep shape and slots, real and complex', async () => {
    const real = clear.rescale(clear.square(clear.encryptClear(Float64Array.of(1, 2))))
    const complex = clear.encryptClear({ re: Float64Array.of(1, 2), im: Float64Array.of(3, 4) }, { level: 1 })
    const { ciphertexts } = await clear.importCiphertexts(await clear.exportCiphertexts([real, complex]))
    expect(ciphertexts.map(({ level, scale, slots, degree }) => ({ level, scale, slots, degree }))).toEqual(
      [real, complex].map(({ level, scale, slots, degree }) => ({ level, scale, slots, degree })),
    )
    expect(ciphertexts.map((c) => clear.readClear(c))).toEqual([real, complex].map((c) => clear.readClear(c)))
  })

  it('name plan, key and request, and are refused for another plan or other parameters', async () => {
    const bytes = await clear.exportCiphertexts([clear.encryptClear(Float64Array.of(1))], { plan: 'a', request: 'r' })
    expect((await clear.importCiphertexts(bytes, { plan: 'a' })).names).toEqual({ plan: 'a', request: 'r' })
    await expect(clear.importCiphertexts(bytes, { plan: 'b' })).rejects.toThrow(ParameterMismatchError)
    const others = createClearEngine(insecureParametersWithFiles({ logN: 10, levels: 2, scaleBits: 30 }))
    await expect(others.importCiphertexts(bytes)).rejects.toThrow(ParameterMismatchError)
    await expect(plan.importCiphertext(bytes)).rejects.toThrow(FormatError)
  })

  it('hold one where one is asked for, and at least one', async () => {
    const x = clear.encryptClear(Float64Array.of(1))
    const before = clear.memory().ciphertexts
    await expect(clear.importCiphertext(await clear.exportCiphertexts([x, x]))).rejects.toThrow(/holds 2/)
    expect(clear.memory().ciphertexts).toBe(before)
    await expect(clear.exportCiphertexts([])).rejects.toThrow(InvalidArgumentError)
    await expect(clear.exportCiphertext(plan.input())).rejects.toThrow(InvalidArgumentError)
  })

  it('give a typed error for every damage, never a crash', async () => {
    const good = await clear.exportCiphertext(clear.encryptClear(Float64Array.of(1, 2)))
    for (let at = 0; at < good.length - 16; at++)
      for (const bit of [1, 128]) {
        const bad = good.map((byte, i) => (i === at ? byte ^ bit : byte))
        await clear.importCiphertext(bad).catch((error: unknown) => expect(error).toBeInstanceOf(HeMlError))
      }
    for (let length = 0; length < good.length; length++)
      await expect(clear.importCiphertext(good.subarray(0, length)), String(length)).rejects.toThrow(FormatError)
  })
})

describe('files of the plan engine', () => {
  it('keep shape and estimates, and count as no operation', async () => {
    const x = plan.rotate(plan.input({ level: 2, slots: 8, magnitude: 3 }), 1)
    const before = plan.progress().done
    const y = await plan.importCiphertext(await plan.exportCiphertext(x))
    expect(plan.estimate(y)).toEqual(plan.estimate(x))
    expect([y.level, y.slots, y.scale]).toEqual([2, 8, x.scale])
    expect(plan.progress().done).toBe(before)
    const bytes = plan.memory().ciphertexts
    y.dispose()
    expect(plan.memory().ciphertexts).toBeLessThan(bytes)
    await expect(plan.exportCiphertexts([])).rejects.toThrow(InvalidArgumentError)
    await expect(clear.importCiphertext(await plan.exportCiphertext(x))).rejects.toThrow(FormatError)
  })
})
