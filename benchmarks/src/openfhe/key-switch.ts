/**
 * Ours is always the whole rotation through the TypeScript port; OpenFHE's is its rotation, and its bare key switch, which
 * leaves the automorphism out.
 */
import { createParameters, HeMlError } from '@he-ml/ckks-core'
import { createNativeEngine, kernels, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { LineProcess } from '../line-process.ts'
import type { Emit } from '../rows.ts'
import { agreementBits, interleave, median } from '../statistics.ts'
import { rotated, testValues } from '../test-values.ts'

export interface KeySwitchOptions {
  readonly logN: number
  readonly limbs: number
  readonly dnum: number
  readonly repetitions: number
}

interface DriverLine {
  readonly metric: string
  readonly us?: number
  readonly peer?: string
  readonly special?: number
  readonly precisionBits?: number
}

const STEPS = 5
const LEAST_BITS = 10
const SCALE_BITS = 46
const WARM_UP = 2
const BURST = 6
const METRICS = ['rotate', 'key-switch'] as const

/** Rotations and bare key switches in turn with our rotations. */
export async function compareKeySwitch(
  driver: string,
  options: KeySwitchOptions,
  threads: number,
  emit: Emit,
): Promise<void> {
  const { logN, limbs, dnum, repetitions } = options
  const args = (metric: string) => [
    ...['--metric', metric, '--log-n', String(logN), '--limbs', String(limbs)],
    ...['--dnum', String(dnum), '--threads', String(threads), '--scaling-bits', String(SCALE_BITS)],
  ]
  await using ours = await ownRotation({ logN, limbs, dnum, threads })
  await using rotate = new LineProcess<DriverLine>(driver, args('rotate'), 'the OpenFHE driver')
  const ready = await rotate.next()
  await using bare = new LineProcess<DriverLine>(driver, args('key-switch'), 'the OpenFHE driver')
  await bare.next()
  const peer = ready.peer ?? 'openfhe'
  const samples = await interleave(
    {
      ours: () => ours.rotate(),
      rotate: async () => (await rotate.go()).us! / 1e3,
      'key-switch': async () => (await bare.go()).us! / 1e3,
    },
    { warmUp: WARM_UP, repetitions, burst: BURST },
  )
  const params = { logN, limbs, dnum, threads }
  const own = { ...params, special: ours.special, kernel: kernels().active }
  const time = median(samples.ours)
  emit({ name: 'rotate', params: own, metric: 'time', value: time, unit: 'ms' })
  for (const name of METRICS) {
    const theirs = median(samples[name])
    const theirParams = { ...params, ...(ready.special === undefined ? {} : { special: ready.special }) }
    emit({ name, params: theirParams, metric: 'time', value: theirs, unit: 'ms', peer })
    emit({ name, params: own, metric: 'speedup', value: theirs / time, unit: 'x', peer })
  }
}

interface OwnRotation extends AsyncDisposable {
  readonly special: number
  rotate(): Promise<void>
}

async function ownRotation(of: { logN: number; limbs: number; dnum: number; threads: number }): Promise<OwnRotation> {
  const { logN, limbs, dnum, threads } = of
  const parameters = createParameters({ logN, levels: limbs - 1, scaleBits: SCALE_BITS, baseBits: 47, dnum })
  if (parameters.qLimbs.length !== limbs)
    throw new HeMlError('Benchmark', `expected ${limbs} limbs, got ${parameters.qLimbs.length}`)
  const client = createNativeClient(parameters, { threads })
  const engine = createNativeEngine(parameters, { threads })
  using key = await client.generateSecretKey()
  const request = { rotations: [{ steps: STEPS, level: parameters.maxLevel }] }
  const files = async function* () {
    for await (const { bytes } of client.generateEvaluationKeys(key, request)) yield bytes
  }
  await loadEvaluationKeys(engine, files())
  const values = testValues(parameters.maxSlots)
  const input = await engine.importCiphertext(await client.encrypt(key, [{ values }]))
  {
    using result = engine.rotate(input, STEPS)
    const [back] = await client.decrypt(key, await engine.exportCiphertext(result))
    const bits = agreementBits(back!.re, rotated(values, STEPS))
    if (!(bits >= LEAST_BITS)) throw new HeMlError('Benchmark', `our rotation decrypts to ${bits.toFixed(1)} bits only`)
  }
  return {
    special: parameters.p.length,
    async rotate() {
      using result = engine.rotate(input, STEPS)
      await result.ready()
    },
    async [Symbol.asyncDispose]() {
      input.dispose()
      await engine.dispose()
      await client.dispose()
    },
  }
}
