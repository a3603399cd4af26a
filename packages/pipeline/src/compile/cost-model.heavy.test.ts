/** The short calibration of the machine, and what plans make of it. */
import { machineCostModel, measureMachine, parseMachineCosts } from '@he-ml/ckks-native/client'
import { activation, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { createTensor } from '@he-ml/packing'
import { expect, it } from 'vitest'
import { fit } from '../fit/fit.ts'
import { chain, nativeStage, randomTensor } from '../pipeline.test-helper.ts'
import { Runner } from '../run/run.ts'
import { compileAndBind } from './compile.ts'

const network = () =>
  chain(
    'medium',
    [1, 24, 24],
    [
      conv2d({
        name: 'conv1',
        weights: randomTensor([4, 1, 5, 5], 1, 0.2),
        bias: randomTensor([4], 2).data,
        stride: 2,
      }),
      activation({ name: 'act1', function: 'relu' }),
      conv2d({ name: 'conv2', weights: randomTensor([8, 4, 3, 3], 3, 0.2), bias: randomTensor([8], 4).data }),
      activation({ name: 'act2', function: 'relu' }),
      flatten({ name: 'flat' }),
      linear({ name: 'fc', weights: randomTensor([10, 512], 5, 0.05), bias: randomTensor([10], 6).data }),
    ],
  )

it('the machine is measured in seconds, survives JSON, and predicts a run within a factor of 2', async () => {
  const started = performance.now()
  const machine = await measureMachine()
  const seconds = (performance.now() - started) / 1000
  const again = parseMachineCosts(JSON.stringify(machine))
  expect(again).toEqual(machine)
  // shared machines: five seconds are the goal, three times that is an error
  expect(seconds).toBeLessThan(15)

  const model = network()
  const data = Array.from({ length: 20 }, (_, i) => randomTensor([1, 24, 24], 100 + i))
  const calibration = await fit(model, data)
  const bound = await compileAndBind(model, {
    calibration,
    activation: { degree: 15, margin: 1.3 },
    scaleBits: 36,
    costModel: machineCostModel(again),
  })
  await using native = await nativeStage(bound)
  await using runner = new Runner(bound, native.engine)
  await runner.prepare()
  const inputs = await native.encrypt([createTensor([1, 24, 24], data[0]!.data)])
  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const from = performance.now()
    const output = await runner.run(inputs)
    times.push((performance.now() - from) / 1000)
    output.dispose()
  }
  const real = Math.min(...times)
  const ratio = bound.plan.report.seconds / real
  console.log(
    `calibration ${seconds.toFixed(1)} s; N = 2^${bound.plan.parameters.logN}: predicted ${bound.plan.report.seconds.toFixed(3)} s, real ${real.toFixed(3)} s, ratio ${ratio.toFixed(2)}`,
  )
  expect(ratio).toBeGreaterThan(0.5)
  expect(ratio).toBeLessThan(2)
})
