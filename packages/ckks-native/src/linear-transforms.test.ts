/** Several ciphertexts through one transform in one task of the queue: the bytes of single calls. */
import {
  type Ciphertext,
  diagonalsFromDense,
  InvalidArgumentError,
  insecureParametersWithFiles,
  LevelError,
  MissingKeyError,
  type PreparedLinearTransform,
  prepareLinearTransform,
} from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStack, fileDigest, randomValues, rotationKeys, type Stack } from './native.test-helper.ts'

const PERIOD = 16
const STEPS = Array.from({ length: PERIOD - 1 }, (_, i) => i + 1)
const matrix = diagonalsFromDense({ rows: PERIOD, columns: PERIOD, re: randomValues(PERIOD ** 2, 3) })

// above 47 bits a level has two primes
describe.each([40, 56])('with scales of %i bits', (scaleBits) => {
  const parameters = insecureParametersWithFiles({ logN: 11, levels: 4, scaleBits })
  let stack: Stack
  let inputs: Ciphertext[]
  beforeAll(async () => {
    stack = await createStack(parameters, { rotations: rotationKeys(STEPS, 4) }, { threads: 2 })
    inputs = []
    for (let i = 0; i < 5; i++) inputs.push((await stack.encrypt(randomValues(PERIOD, i), { level: 3 })).native)
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  const digests = (ciphertexts: readonly Ciphertext[]) =>
    Promise.all(ciphertexts.map((c) => fileDigest(stack.server, c)))
  const transformOf = (options: { deferred?: boolean; split?: 'none' }): Promise<PreparedLinearTransform> =>
    prepareLinearTransform(stack.server, matrix, { level: 3, ...options })

  it.each([
    ['giant steps', { split: { length: 4, offset: 0 } }],
    ['baby steps only', { split: 'none' }],
    ['limbs made at each use', { deferred: true }],
  ] as const)('1 to 5 ciphertexts, %s', async (_, options) => {
    using transform = await transformOf(options as { deferred?: boolean })
    const alone = inputs.map((x) => stack.server.linearTransform(x, transform))
    const wanted = await digests(alone)
    for (let count = 1; count <= 5; count++) {
      const together = stack.server.linearTransforms(inputs.slice(0, count), transform)
      expect(together.map(({ level, scale, slots }) => ({ level, scale, slots }))).toEqual(
        alone.slice(0, count).map(({ level, scale, slots }) => ({ level, scale, slots })),
      )
      expect(await digests(together)).toEqual(wanted.slice(0, count))
      for (const c of together) c.dispose()
    }
    // rescaled at once
    const apart = await digests(alone.map((c) => stack.server.rescale(c)))
    const rescaled = stack.server.linearTransforms(inputs.slice(0, 3), transform, { rescale: true })
    expect(await digests(rescaled)).toEqual(apart.slice(0, 3))
    expect(rescaled[0]).toMatchObject({ level: 2, scale: stack.server.rescale(alone[0]!).scale })
    expect(await digests([stack.server.linearTransformRescale(inputs[4]!, transform)])).toEqual([apart[4]])
    // one ciphertext twice, on a lane, some results dropped before they are made
    await using lane = stack.server.openLane()
    const [first, second, third] = lane.linearTransforms([inputs[1]!, inputs[1]!, inputs[0]!], transform)
    first!.dispose()
    expect(await digests([second!, third!])).toEqual([wanted[1], wanted[0]])
    await lane.drain()
    expect(lane.progress()).toMatchObject({ queued: 0 })
    for (const c of [...alone, second!, third!]) c.dispose()
  })

  it('refuses none at all, mixed levels and missing keys', async () => {
    using transform = await transformOf({})
    using low = stack.server.dropLevel(inputs[0]!, 2)
    expect(() => stack.server.linearTransforms([], transform)).toThrow(InvalidArgumentError)
    expect(() => stack.server.linearTransforms([inputs[0]!, low], transform)).toThrow(LevelError)
    const known = { ...transform, giants: [{ ...transform.giants[0]!, step: PERIOD / 2 - 1 }] }
    expect(stack.server.linearTransforms([inputs[0]!], known)).toHaveLength(1)
    const unknown = { ...transform, slots: 512, giants: [{ ...transform.giants[0]!, step: 100 }] }
    expect(() => stack.server.linearTransforms([inputs[0]!, inputs[1]!], unknown)).toThrow(MissingKeyError)
  })
})
