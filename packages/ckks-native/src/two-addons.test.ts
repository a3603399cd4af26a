/** The engine and the f32 kernels in one process: each with threads and memory of its own, and one's end is not the other's. */
import { insecureParametersWithFiles } from '@he-ml/ckks-core'
import { createFloatKernels } from '@he-ml/float-kernels'
import { describe, expect, it } from 'vitest'
import { createNativeClient } from './client/native-client.ts'
import { createNativeEngine } from './native-engine.ts'

const size = 96
const product = async (kernels: ReturnType<typeof createFloatKernels>): Promise<Float32Array> => {
  const a = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i))
  const c = new Float32Array(size * size)
  await kernels.gemm({ m: size, n: size, k: size, a, b: a, c })
  return c
}

describe('two addons in one process', () => {
  it('work at the same time, and one goes on when the other is closed', async () => {
    const parameters = insecureParametersWithFiles({ logN: 10, levels: 2, scaleBits: 40 })
    const engine = createNativeEngine(parameters, { threads: 2 })
    const kernels = createFloatKernels({ threads: 3 })
    expect([engine.threads, kernels.threads]).toEqual([2, 3])

    await using client = createNativeClient(parameters)
    using secret = await client.generateSecretKey()
    const values = Float64Array.from({ length: parameters.maxSlots }, (_, i) => Math.cos(i))
    const x = await engine.importCiphertext(await client.encrypt(secret, [{ values }]))
    const doubled = async () => {
      using sum = engine.add(x, x)
      const [slots] = await client.decrypt(secret, await engine.exportCiphertext(sum))
      return Math.max(...slots!.re.map((v, i) => Math.abs(v - 2 * values[i]!)))
    }
    const want = await product(kernels)
    const bytes = engine.memory().total
    const together = await Promise.all(Array.from({ length: 8 }, () => Promise.all([product(kernels), doubled()])))
    for (const [got, error] of together) {
      expect(got).toEqual(want)
      expect(error).toBeLessThan(2 ** -20)
    }
    expect(engine.memory().total).toBe(bytes) // nothing of the kernels' memory is the engine's

    await kernels[Symbol.asyncDispose]()
    expect(await doubled()).toBeLessThan(2 ** -20)
    x.dispose()
    await engine[Symbol.asyncDispose]()
    await using later = createFloatKernels({ threads: 1 })
    expect(await product(later)).toEqual(want)
  })
})
