import { readFile } from 'node:fs/promises'
import { importOnnx } from '@he-ml/model-import'
import { compile, fit, type Plan, parseCalibration } from '@he-ml/pipeline'
import { describe, expect, it } from 'vitest'
import { loadDigits } from './inputs.ts'
import { argmax } from './outcome.ts'

const file = (name: string) => readFile(new URL(`../models/${name}`, import.meta.url))

describe('shipped models', () => {
  for (const [name, wanted] of [
    ['lenet5-relu', 98],
    ['lenet5-square', 98],
  ] as const) {
    it(`${name} reads at least ${wanted} of 100 drawn digits`, async () => {
      const model = await importOnnx(await file(`${name}.onnx`), { name })
      const digits = await loadDigits(100, undefined)
      const right = digits.filter((d) => argmax(model.forward(d.tensor).data) === d.label).length
      expect(right).toBeGreaterThanOrEqual(wanted)
    })
  }
  it('ranges were taken from at least 5,000 digits', async () => {
    const calibration = parseCalibration((await file('lenet5-relu.calibration.json')).toString())
    expect(calibration.samples).toBeGreaterThanOrEqual(5000)
    expect(Object.keys(calibration.statistics)).toHaveLength(4)
  })
  it('have a plan of one shape, whether their ranges were taken in single precision or in double', async () => {
    const model = await importOnnx(await file('lenet5-relu.onnx'), { name: 'lenet5-relu' })
    const digits = (await loadDigits(40, undefined)).map((d) => d.tensor)
    const plans: Plan[] = []
    for (const precision of ['single', 'double'] as const) {
      const calibration = await fit(model, digits, { precision })
      const activation = { margin: 1.25, degree: 15, method: 'least-squares' } as const
      plans.push(await compile(model, { calibration, packing: 'multiplexed', scaleBits: 31, activation }))
    }
    const [single, double] = plans.map(({ parameters, keyRequest, input, output, tasks, report }) => ({
      ...{ parameters, keyRequest, input, output, tasks },
      counts: [report.rotations, report.products, report.plaintextProducts, report.keys.count],
    }))
    expect(single).toEqual(double)
    expect(single!.tasks.length).toBeGreaterThan(4)
  })
})
