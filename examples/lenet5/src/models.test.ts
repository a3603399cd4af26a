import { readFile } from 'node:fs/promises'
import { importOnnx } from '@he-ml/model-import'
import { parseCalibration } from '@he-ml/pipeline'
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
})
