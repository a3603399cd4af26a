/** A ReLU network at real size: the event loop stays free, progress and precision are as the plan says. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import { fit } from '../fit/fit.ts'
import { approximate, images, nativeStage, precisionBits, smallCnn } from '../pipeline.test-helper.ts'
import { Runner } from './run.ts'

it.each([
  { packing: 'multiplexed', count: 1, batch: {} },
  { packing: 'batch', count: 16, batch: { batch: 4096 } },
] as const)('$packing: a ReLU network never blocks the event loop for 50 ms', async ({ packing, count, batch }) => {
  const model = smallCnn('relu')
  const calibration = await fit(model, images(50))
  const activation = { degree: 15, margin: 1.3 }
  const bound = await compileAndBind(model, { calibration, activation, packing, scaleBits: 36, ...batch })
  const native = await nativeStage(bound)
  const runner = new Runner(bound, native.engine)
  const given = images(count)
  const inputs = await native.encrypt(given)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const started = performance.now()
  const output = await runner.run(inputs, { onProgress: () => {} })
  const seconds = (performance.now() - started) / 1000
  delay.disable()
  const bits = precisionBits(
    await native.decrypt(output, count),
    given.map((image) => approximate(bound.model, image)),
  )
  const { report, parameters } = bound.plan
  console.log(
    `${packing}, N = 2^${parameters.logN}: ${seconds.toFixed(2)} s with encoding, longest pause ${(delay.max / 1e6).toFixed(0)} ms, predicted ${report.precisionBits.toFixed(1)} bits, real ${bits.toFixed(1)}`,
  )
  expect(delay.max / 1e6).toBeLessThan(50)
  expect(bits).toBeGreaterThan(report.precisionBits - 3)
  await runner.dispose()
  await native[Symbol.asyncDispose]()
})
