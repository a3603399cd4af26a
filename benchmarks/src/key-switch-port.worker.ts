/** A process that times one rotation through the port, with real keys, after checking that it decrypts rightly. */
import { createParameters, HeMlError } from '@he-ml/ckks-core'
import { createNativeEngine, kernels, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { KeySwitchShape } from './key-switch-bound.ts'
import { agreementBits, interleave } from './statistics.ts'
import { rotated, testValues } from './test-values.ts'

export interface PortRequest {
  readonly shape: KeySwitchShape
  readonly threads: number
}
export interface PortResult {
  readonly kernel: string
  readonly milliseconds: readonly number[]
}

const STEPS = 5
const REPETITIONS = 15
const LEAST_BITS = 10

process.once('message', (request: PortRequest) => {
  work(request).then(
    (result) => process.send!(result, () => process.disconnect()),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
})

async function work({ shape, threads }: PortRequest): Promise<PortResult> {
  const parameters = createParameters(requestFor(shape))
  if (parameters.qLimbs.length !== shape.limbs || parameters.p.length !== shape.special)
    throw new HeMlError(
      'Benchmark',
      `expected ${shape.limbs} + ${shape.special} limbs, got ${parameters.qLimbs.length} + ${parameters.p.length}`,
    )
  await using client = createNativeClient(parameters, { threads })
  using key = await client.generateSecretKey()
  await using engine = createNativeEngine(parameters, { threads })
  const level = parameters.maxLevel
  const files = async function* () {
    for await (const { bytes } of client.generateEvaluationKeys(key, { rotations: [{ steps: STEPS, level }] }))
      yield bytes
  }
  await loadEvaluationKeys(engine, files())
  const values = testValues(parameters.maxSlots)
  const file = await client.encrypt(key, [{ values }])
  // another input each time, so that operands come from memory as in a circuit
  const inputs = await Promise.all(Array.from({ length: 4 }, () => engine.importCiphertext(file)))
  using first = engine.rotate(inputs[0]!, STEPS)
  const [back] = await client.decrypt(key, await engine.exportCiphertext(first))
  const bits = agreementBits(back!.re, rotated(values, STEPS))
  if (!(bits >= LEAST_BITS)) throw new HeMlError('Benchmark', `the rotation decrypts to ${bits.toFixed(1)} bits only`)
  let next = 0
  const { rotate } = await interleave(
    {
      rotate: async () => {
        using result = engine.rotate(inputs[next++ % inputs.length]!, STEPS)
        await result.ready()
      },
    },
    { warmUp: 2, repetitions: REPETITIONS },
  )
  return { kernel: kernels().active, milliseconds: rotate }
}

/** Primes of 45 bits, special ones of 47, as many as the shape says. */
function requestFor({ logN, limbs, special, dnum }: KeySwitchShape) {
  const small = logN < 14
  return {
    logN,
    levels: limbs - 1,
    scaleBits: small ? 30 : 45,
    baseBits: small ? 37 : 47,
    dnum,
    specialPrimes: special,
    specialBits: small ? 45 : 47,
  }
}
