import { readFileSync } from 'node:fs'
import { createTensor } from '@he-ml/model'
import { compileAndBind, parseCalibration } from '@he-ml/pipeline'
import { expect, it } from 'vitest'
import { exampleModel } from '../places.ts'
import { approximateForward } from './approximate-forward.ts'
import { loadModel } from './digits.ts'
import { logitsBits } from './logits.ts'

it('differs from the exact network as much as the polynomials do, and not more', async () => {
  const model = await loadModel(exampleModel('lenet5-relu.onnx'), 'lenet5-relu')
  const calibration = parseCalibration(readFileSync(exampleModel('lenet5-relu.calibration.json'), 'utf8'))
  const x = createTensor(
    [1, 28, 28],
    Float64Array.from({ length: 784 }, (_, i) => Math.sin(i / 40)),
  )
  const bits: number[] = []
  for (const degree of [7, 27]) {
    const bound = await compileAndBind(model, { calibration, activation: { degree, method: 'least-squares' } })
    bits.push(logitsBits([approximateForward(bound.model, x).data], [bound.model.forward(x).data]))
    expect(logitsBits([bound.model.forward(x).data], [model.forward(x).data])).toBeGreaterThan(30)
  }
  expect(bits[0]).toBeLessThan(bits[1]!)
  expect(bits[1]).toBeLessThan(20)
})
