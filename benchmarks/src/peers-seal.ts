/**
 * Against node-seal: both engines behind the same port, the same ciphertext primes and levels, each operation run in turn on
 * one, then the other. SEAL in WebAssembly has one thread; the native engine is measured with each thread count asked for.
 * Key switching is each library's own: SEAL has one digit per prime and one special prime, ours a few large digits (dnum);
 * rows with dnum = limbs are ours in SEAL's shape, where both do the same number of transforms.
 */
import {
  type AnyParameters,
  type Ciphertext,
  createParameters,
  type Engine,
  HeMlError,
  type KeyRequest,
  type SlotValues,
} from '@he-ml/ckks-core'
import type { BaseClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { createNativeEngine, kernels, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createSealEngine, sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { define } from './benchmark.ts'
import { positive, positiveList } from './option-types.ts'
import { agreementBits, interleave, median, type Task } from './statistics.ts'
import { rotated, testValues } from './test-values.ts'

interface Options {
  readonly logN: number
  readonly primes: number
  readonly scaleBits: number
  readonly dnum: number
  readonly threads: readonly number[]
  readonly repetitions: number
}

const STEPS = 1
const LEAST_BITS = 12
const WARM_UP = 2
const BURST = 6
const OPERATIONS = ['rotate', 'mul-relin-rescale', 'encode', 'encrypt'] as const
type Operation = (typeof OPERATIONS)[number]

export const peersSeal = define<Options>({
  name: 'peers-seal',
  description: 'rotation, product, encoding and encryption against node-seal, same primes, interleaved',
  configure: (command) =>
    void command
      .option('--log-n <n>', 'log2 of the ring degree, at most 15', positive, 15)
      .option('--primes <n>', 'primes of the ciphertext modulus', positive, 16)
      .option('--scale-bits <n>', 'bits of the scale', positive, 40)
      .option('--dnum <n>', 'key-switching digits of the native engine', positive, 4)
      .option('--threads <list>', 'thread counts of the native engine', positiveList, [1, 2])
      .option('--repetitions <n>', 'turns of five timed runs each', positive, 5),
  async run({ logN, primes, scaleBits, dnum, threads, repetitions }, emit) {
    const request = sealParameters({ logN, levels: primes - 1, scaleBits })
    const parameters = createParameters(request)
    const { baseBits } = request
    const own = createParameters({
      logN,
      levels: primes - 1,
      scaleBits,
      dnum,
      ...(baseBits === undefined ? {} : { baseBits }),
    })
    if (String(own.qLimbs) !== String(parameters.qLimbs))
      throw new HeMlError('Benchmark', 'the ciphertext primes differ')
    const seal = await sealSide(parameters)
    const natives: Side[] = []
    for (const count of threads) {
      natives.push(await nativeSide(own, count))
      natives.push(await nativeSide(parameters, count))
    }
    const sides = [seal, ...natives]
    try {
      for (const side of sides) await checkSide(side)
      for (const operation of OPERATIONS) {
        const tasks = Object.fromEntries(sides.map((side) => [side.name, side.tasks[operation]]))
        const samples = await interleave(tasks, { warmUp: WARM_UP, repetitions, burst: BURST })
        const params = { logN, limbs: primes }
        const peer = seal.library
        const peerTime = median(samples[seal.name]!)
        emit({ name: operation, params: { ...params, threads: 1 }, metric: 'time', value: peerTime, unit: 'ms', peer })
        for (const side of natives) {
          const { p, digitLimbs, qLimbs } = side.engine.parameters
          const digits = { special: p.length, dnum: Math.ceil(qLimbs.length / digitLimbs) }
          const shape = { ...params, ...digits, threads: side.threads, kernel: kernels().active }
          const time = median(samples[side.name]!)
          emit({ name: operation, params: shape, metric: 'time', value: time, unit: 'ms' })
          emit({ name: operation, params: shape, metric: 'speedup', value: peerTime / time, unit: 'x', peer })
        }
      }
    } finally {
      for (const side of sides) await side.dispose()
    }
  },
})

interface Side {
  readonly name: string
  readonly library: string
  readonly threads: number
  readonly engine: Engine
  readonly client: BaseClientEngine
  readonly key: SecretKey
  readonly inputs: readonly [Ciphertext, Ciphertext]
  readonly tasks: Readonly<Record<Operation, Task>>
  dispose(): Promise<void>
}

const wantedKeys = ({ maxLevel }: AnyParameters): KeyRequest => ({
  relinearization: maxLevel,
  rotations: [{ steps: STEPS, level: maxLevel }],
})

async function sealSide(parameters: AnyParameters): Promise<Side> {
  const client = await createSealClient(parameters)
  const engine = await createSealEngine(parameters)
  const key = await client.generateSecretKey()
  for await (const { kind, bytes } of client.generateEvaluationKeys(key, wantedKeys(parameters)))
    if (kind === 'galoisKey') engine.loadGaloisKeys(bytes)
    else engine.loadRelinearizationKey(bytes)
  return side({ name: 'seal', library: engine.version, threads: 1, engine, client, key })
}

async function nativeSide(parameters: AnyParameters, threads: number): Promise<Side> {
  const client = createNativeClient(parameters, { threads })
  const engine = createNativeEngine(parameters, { threads })
  const key = await client.generateSecretKey()
  const files = async function* () {
    for await (const { bytes } of client.generateEvaluationKeys(key, wantedKeys(parameters))) yield bytes
  }
  await loadEvaluationKeys(engine, files())
  return side({ name: `native-${threads}-${parameters.digitLimbs}`, library: 'native', threads, engine, client, key })
}

async function side(of: Omit<Side, 'inputs' | 'tasks' | 'dispose'>): Promise<Side> {
  const { engine, client, key } = of
  const { maxSlots, maxLevel } = engine.parameters
  const values: SlotValues = testValues(maxSlots)
  const import_ = async (v: SlotValues) => engine.importCiphertext(await client.encrypt(key, [{ values: v }]))
  const inputs = [await import_(values), await import_(testValues(maxSlots, 1))] as const
  const tasks: Record<Operation, Task> = {
    rotate: async () => {
      using result = engine.rotate(inputs[0], STEPS)
      await result.ready()
    },
    'mul-relin-rescale': async () => {
      using result = product(engine, inputs)
      await result.ready()
    },
    encode: async () => {
      using _plaintext = engine.encode(values, { level: maxLevel, scale: engine.parameters.scaleAt(maxLevel) })
      await engine.drain()
    },
    encrypt: async () => void (await client.encrypt(key, [{ values }])),
  }
  const dispose = async () => {
    for (const input of inputs) input.dispose()
    key.dispose()
    await engine.dispose()
    await client.dispose()
  }
  return { ...of, inputs, tasks, dispose }
}

function product(engine: Engine, [a, b]: readonly [Ciphertext, Ciphertext]): Ciphertext {
  using raw = engine.mul(a, b)
  using linear = engine.relinearize(raw)
  return engine.rescale(linear)
}

/** Rotation and product decrypt to what they should. */
async function checkSide({ engine, client, key, inputs, name }: Side): Promise<void> {
  const values = testValues(engine.parameters.maxSlots)
  const others = testValues(engine.parameters.maxSlots, 1)
  const cases = [
    ['rotation', engine.rotate(inputs[0], STEPS), rotated(values, STEPS)],
    ['product', product(engine, inputs), values.map((v, i) => v * others[i]!)],
  ] as const
  for (const [what, ciphertext, wanted] of cases) {
    const [result] = await client.decrypt(key, await engine.exportCiphertext(ciphertext))
    ciphertext.dispose()
    const bits = agreementBits(result!.re, wanted)
    if (!(bits >= LEAST_BITS))
      throw new HeMlError(
        'Benchmark',
        `${name}: the ${what} decrypts to ${bits.toFixed(1)} bits, expected ${LEAST_BITS}`,
      )
  }
}
