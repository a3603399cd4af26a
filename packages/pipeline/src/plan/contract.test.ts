import { publicationBound } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import { compile } from '../compile/compile.ts'
import { images, smallCnn } from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { contractOf } from './contract.ts'
import { parsePlan } from './plan.ts'

const OPTIONS = { activation: { degree: 7, margin: 1.5 }, scaleBits: 34 }
const model = smallCnn('relu')

describe('the contract of a plan', () => {
  it('has both ends, the range with the margin, and the bound', async () => {
    const data = images(4)
    const calibration = await fit(model, data)
    const values = data.flatMap((t) => [...t.data])
    const [min, max] = [Math.min(...values), Math.max(...values)]
    expect(calibration.inputRange).toEqual({ min, max })
    const plan = await compile(model, { ...OPTIONS, calibration })
    const { input, output, report } = parsePlan(JSON.stringify(plan))
    expect(input.range!.min).toBeCloseTo(min - (max - min) / 4, 12)
    expect(input.range!.max).toBeCloseTo(max + (max - min) / 4, 12)
    const { layout: _, ...inputEnd } = input
    const { layout: __, ...outputEnd } = output
    expect(contractOf(plan)).toEqual({
      plan: plan.id,
      parameters: bindPlan(plan, model).parameters.id,
      input: inputEnd,
      output: outputEnd,
      errorBound: publicationBound(2 ** -report.precisionBits),
    })
  })
  it('of a plan without calibration knows no range', async () => {
    const plan = await compile(smallCnn('square'), { scaleBits: 34 })
    expect(plan.input.range).toBeUndefined()
    expect(contractOf(plan).input.range).toBeUndefined()
  })
})
