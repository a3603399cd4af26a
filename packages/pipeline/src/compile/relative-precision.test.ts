import { PlanError } from '@he-ml/ckks-core'
import { createTensor } from '@he-ml/model'
import { linear } from '@he-ml/nn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { chain, images, smallCnn } from '../pipeline.test-helper.ts'
import type { Calibration } from '../ready/calibration.ts'
import { fit } from '../ready/fit.ts'
import { compile } from './compile.ts'
import type { CompileOptions } from './options.ts'
import { assertPrecision } from './relative-precision.ts'

const model = smallCnn('relu')
let calibration: Calibration
beforeAll(async () => {
  calibration = await fit(model, images(20), { precision: 'double' })
})
/** Images that differ by a thousandth: an error that is small beside the outputs is large beside their differences. */
const poor = async (): Promise<CompileOptions> => {
  const [one, ...others] = images(20)
  const alike = others.map(({ data }) =>
    createTensor(
      one!.shape,
      one!.data.map((v, i) => v + data[i]! / 1000),
    ),
  )
  return { calibration: await fit(model, alike), scaleBits: 22, activation: { degree: 15 } }
}

describe('precision relative to the range of each output', () => {
  it('is in the report: the width of what calibration saw over the error', async () => {
    const { report } = await compile(model, { calibration, scaleBits: 30, activation: { degree: 7 } })
    const results = images(20).map((image) => model.forward(image).data)
    for (const [i, bits] of report.outputPrecisionBits!.entries()) {
      const seen = results.map((data) => data[i]!)
      const width = Math.max(...seen) - Math.min(...seen)
      expect(bits).toBeCloseTo(Math.log2(width / 2 ** -report.precisionBits), 9)
    }
    expect(report.outputPrecisionBits).toHaveLength(3)
  })

  it('counts units of a thousand for what they are', () => {
    const ranges = { min: [-1000, -0.5, 3], max: [1000, 0.5, 3] }
    const seen = { ...calibration, outputRanges: ranges }
    expect(assertPrecision({ precisionBits: 0 }, { calibration: seen })).toEqual([Math.log2(2000), 0, 0])
    // an error of 1 is nothing for the first output and everything for the second: one good output is enough
    expect(() =>
      assertPrecision({ precisionBits: 0 }, { calibration: { ...seen, outputRanges: { min: [0], max: [2] } } }),
    ).toThrow(PlanError)
  })

  it('without calibration there is none, and the bits themselves must do', async () => {
    const plain = chain('m', [2], [linear({ name: 'fc', weights: createTensor([1, 2], Float64Array.of(1, 2)) })])
    expect((await compile(plain, { scaleBits: 30 })).report.outputPrecisionBits).toBeUndefined()
    expect(() => assertPrecision({ precisionBits: 0.03 }, {})).toThrow(/2\^-0\.03, 0\.03 bits below 1/)
  })
})

describe('a plan that promises nothing', () => {
  it('is refused, with what would help', async () => {
    const refused = await compile(model, await poor()).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(PlanError)
    expect(refused).toMatchObject({ reason: 'precision' })
    expect((refused as Error).message).toMatch(/wanted at least 4: raise the option scaleBits/)
  })
  it('is made when it is wanted all the same', async () => {
    const { report } = await compile(model, { ...(await poor()), precisionBits: Number.NEGATIVE_INFINITY })
    expect(Math.max(...report.outputPrecisionBits!)).toBeLessThan(4)
  })
})
