/** Nothing grows: a thousand products, disposed of as they go. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Ciphertext, createParameters } from '@he-ml/ckks-core'
import { expect, it } from 'vitest'
import { createStack, randomValues } from './native.test-helper.ts'

/** So that what is measured is the engine, not the garbage of JavaScript. */
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** A product that leaks one limb grows by 225 MiB in 900; the allocator's and the collector's moods are far smaller. */
const MOST_GROWTH = 100 * 2 ** 20

it('1,000 products leave memory where it was after 100', async () => {
  const parameters = createParameters({ logN: 15, levels: 8, scaleBits: 40 })
  const level = parameters.maxLevel
  await using stack = await createStack(parameters, { relinearization: level, rotations: [] })
  const { server } = stack
  const { native: x } = await stack.encrypt(randomValues(parameters.maxSlots, 1))
  const product = (a: Ciphertext): Ciphertext => {
    using raw = server.mul(a, a)
    using linear = server.relinearize(raw)
    return server.rescale(linear)
  }
  const resident = async (): Promise<number> => {
    await server.drain()
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 20)) // finalizers
    return process.memoryUsage().rss
  }
  let after100 = 0
  let live = 0
  let peak = 0
  // kept until they are computed: the engine skips a result whose handle is gone
  const pending: Ciphertext[] = []
  for (let i = 1; i <= 1000; i++) {
    pending.push(product(x))
    if (i % 10 === 0) {
      await Promise.all(pending.map((y) => y.ready()))
      for (const y of pending.splice(0)) y.dispose()
    }
    if (i === 100) {
      after100 = await resident()
      live = server.memory().ciphertexts
      peak = server.memory().peak
    }
  }
  const after1000 = await resident()
  console.log(
    `resident after 100: ${(after100 / 2 ** 20).toFixed(1)} MiB, after 1,000: ${(after1000 / 2 ** 20).toFixed(1)} MiB`,
  )
  expect(after1000 - after100).toBeLessThan(MOST_GROWTH)
  expect(server.memory().ciphertexts).toBe(live)
  // ten products wait at most, whatever the threads do: the first hundred have seen the worst of it but for the order
  expect(server.memory().peak).toBeLessThan(2 * peak)
})
