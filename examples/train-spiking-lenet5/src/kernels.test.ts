import { afterAll, describe, expect, it } from 'vitest'
import { openKernels } from './kernels.ts'

const before = process.env.HE_ML_FLOAT_KERNELS_PATH
process.env.HE_ML_FLOAT_KERNELS_PATH = '/nowhere/addon.node'
afterAll(() => {
  if (before === undefined) delete process.env.HE_ML_FLOAT_KERNELS_PATH
  else process.env.HE_ML_FLOAT_KERNELS_PATH = before
})

describe('openKernels', () => {
  it('says aloud that the addon is missing, and goes on without', async () => {
    const notices: string[] = []
    await using used = openKernels({ onNotice: (text) => notices.push(text) })
    expect(used.name).toBe('plain TypeScript')
    expect(notices).toEqual([expect.stringMatching(/NATIVE KERNELS ARE MISSING[\s\S]*\/nowhere\/addon\.node/)])
    const task = { m: 1, n: 1, k: 2, a: Float32Array.of(1, 2), b: Float32Array.of(3, 4), c: new Float32Array(1) }
    await used.kernels.gemm(task)
    expect(task.c).toEqual(Float32Array.of(11))
  })
  it('takes the plain ones when asked to, without a word', () => {
    expect(openKernels({ plain: true, onNotice: () => expect.unreachable() }).name).toBe('plain TypeScript')
  })
})
