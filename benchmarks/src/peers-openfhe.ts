/**
 * Against OpenFHE, as a process of its own (benchmarks/peers/openfhe), in turn with ours. Ours is always the whole rotation
 * through the TypeScript port; OpenFHE's is its rotation, and its bare key switch, which leaves the automorphism out.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { createParameters, HeMlError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { createNativeEngine, kernels, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { define } from './benchmark.ts'
import { LineProcess } from './line-process.ts'
import { positive, positiveList } from './option-types.ts'
import { repositoryRoot } from './places.ts'
import type { Emit } from './rows.ts'
import { agreementBits, interleave, median } from './statistics.ts'
import { rotated, testValues } from './test-values.ts'

interface Options {
  readonly openfhe: string
  readonly logN: number
  readonly limbs: number
  readonly dnum: number
  readonly threads: readonly number[]
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

export const peersOpenfhe = define<Options>({
  name: 'peers-openfhe',
  description: 'rotation against rotation and bare key switch of an OpenFHE built beside the repository, interleaved',
  configure: (command) =>
    void command
      .requiredOption('--openfhe <path>', 'where OpenFHE is installed (see benchmarks/peers/README.md)')
      .option('--log-n <n>', 'log2 of the ring degree', positive, 16)
      .option('--limbs <n>', 'primes of the ciphertext modulus', positive, 24)
      .option('--dnum <n>', 'key-switching digits', positive, 3)
      .option('--threads <list>', 'thread counts, the same for both', positiveList, [1, 2])
      .option('--repetitions <n>', 'turns of five timed runs each', positive, 5),
  async run(options, emit) {
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-peer-'))
    try {
      const driver = await buildDriver(options.openfhe, folder)
      for (const threads of options.threads) await compare(driver, options, threads, emit)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
})

/** Our driver against their library, outside the repository. */
async function buildDriver(install: string, folder: string): Promise<string> {
  const config = ['lib', 'lib64'].map((lib) => resolve(install, lib, 'OpenFHE')).find((path) => existsSync(path))
  if (config === undefined)
    throw new InvalidArgumentError(
      `--openfhe: no lib/OpenFHE below ${install}: give the install prefix; benchmarks/peers/README.md says how to build it`,
    )
  const source = join(repositoryRoot, 'benchmarks/peers/openfhe')
  const run = promisify(execFile)
  try {
    await run('cmake', ['-S', source, '-B', folder, `-DOpenFHE_DIR=${config}`])
    await run('cmake', ['--build', folder, '--parallel', String(availableParallelism())])
  } catch (error) {
    throw new UnsupportedError(
      `the OpenFHE driver cannot be built: ${(error as { stderr?: string }).stderr ?? error}`,
      {
        cause: error,
      },
    )
  }
  return join(folder, 'key-switch-driver')
}

async function compare(driver: string, options: Options, threads: number, emit: Emit): Promise<void> {
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
