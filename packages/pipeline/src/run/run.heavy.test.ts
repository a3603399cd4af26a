/** A ReLU network at real size: the event loop gets its turns, and precision is as the plan says. */
import { expect, it } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import { approximate, images, leastBits, nativeStage, precisionBits, smallCnn } from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from './run.ts'

it.each([
  { packing: 'multiplexed', count: 1, batch: {} },
  { packing: 'batch', count: 16, batch: { batch: 4096 } },
] as const)('$packing: a ReLU network lets the event loop turn', async ({ packing, count, batch }) => {
  const model = smallCnn('relu')
  const calibration = await fit(model, images(50))
  const activation = { degree: 15, margin: 1.3 }
  const bound = await compileAndBind(model, { calibration, activation, packing, scaleBits: 36, ...batch })
  await using native = await nativeStage(bound)
  await using runner = new Runner(bound, native.engine)
  const given = images(count)
  const inputs = await native.encrypt(given)
  let turns = 0
  let running = true
  const turn = () => {
    turns++
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  const output = await runner.run(inputs, { onProgress: () => {} })
  running = false
  const want = given.map((image) => approximate(bound.model, image))
  const bits = precisionBits(await native.decrypt(output, count), want)
  const { report, parameters } = bound.plan
  console.log(
    `${packing}, N = 2^${parameters.logN}: ${turns} turns of the event loop, predicted ${report.precisionBits.toFixed(1)} bits, real ${bits.toFixed(1)}`,
  )
  // how long each took is measured by the benchmarks lenet5 and predictions
  expect(turns).toBeGreaterThan(bound.program.tasks.length)
  expect(bits).toBeGreaterThan(leastBits(bound, count))
})
