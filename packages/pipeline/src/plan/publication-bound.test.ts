/**
 * What a plan promises to a publisher, on ciphertexts: small networks, random inputs and the corners of the range, several
 * keys. The bound is 64 times the predicted root mean square; a run compares 300 numbers, and even where the prediction is 2
 * bits too good, a number exceeds 16 root mean squares (a product of two normal numbers) with probability exp(-32): 1e-11 a
 * run.
 */
import { createTensor, type Tensor } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import { approximate, images, nativeStage, smallCnn } from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { contractOf } from './contract.ts'

/** All at one end, all at the other, and checkers. */
function corners({ min, max }: { readonly min: number; readonly max: number }): Tensor[] {
  const ends = [() => min, () => max, (i: number) => ((i + (i >> 3)) % 2 === 0 ? min : max)]
  return ends.map((end) =>
    createTensor(
      [1, 8, 8],
      Float64Array.from({ length: 64 }, (_, i) => end(i)),
    ),
  )
}

describe.each(['relu', 'square'] as const)('a network with %s', (fn) => {
  it.each(['multiplexed', 'batch'] as const)('keeps its errors below the bound, %s', async (packing) => {
    const model = smallCnn(fn)
    const calibration = await fit(model, images(16))
    const batch = packing === 'batch' ? { batch: 8 } : {}
    const options = { calibration, activation: { degree: 7, margin: 1.25 }, scaleBits: 32, packing, ...batch }
    const bound = await compileAndBind(model, options)
    const contract = contractOf(bound.plan)
    const inputs = [...images(packing === 'batch' ? 13 : 5, 500), ...corners(contract.input.range!)]
    let worst = 0
    for (let k = 0; k < 2; k++) {
      await using stage = await nativeStage(bound)
      await using runner = new Runner(bound, stage.engine)
      const size = packing === 'batch' ? 8 : 1
      for (let i = 0; i < inputs.length; i += size) {
        const given = inputs.slice(i, i + size)
        using output = await runner.run(await stage.encrypt(given))
        const got = await stage.decrypt(output, given.length)
        for (const [b, image] of given.entries()) {
          const want = approximate(bound.model, image)
          for (const [c, value] of want.data.entries()) worst = Math.max(worst, Math.abs(got[b]!.data[c]! - value))
        }
      }
    }
    expect(worst / contract.errorBound).toBeLessThan(1)
  })
})
