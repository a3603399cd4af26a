/**
 * Keys by need, with room for half of them: LeNet-5, which computes for less time than its keys take to load, and a residual network
 * with bootstraps, which computes for longer. How long tasks wait for keys, with and without prefetching, and how long the run takes,
 * against one that has all keys; the three results are the same to the bit.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeMlError, type KeyRequest, type KeyStore, keyBytes, listKeyNeeds } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeEngine, openKeyFolder } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { pack } from '@he-ml/packing'
import {
  type BoundPlan,
  compileAndBind,
  contractOf,
  fit,
  inputLayoutOf,
  parseCalibration,
  Runner,
} from '@he-ml/pipeline'
import { define } from './benchmark.ts'
import { loadModel } from './networks/digits.ts'
import { choice, positive } from './option-types.ts'
import { exampleModel } from './places.ts'
import { residual, seededTensor } from './predictions/networks.ts'
import { progress } from './progress.ts'

interface Options {
  readonly threads: number
  readonly network?: string
}

interface Run {
  readonly result: Uint8Array
  readonly seconds: number
  readonly waited: number
}

const NETWORKS: Readonly<Record<string, () => Promise<BoundPlan>>> = { 'lenet5-relu': lenet5, residual: bootstrapped }

export const keyStore = define<Options>({
  name: 'key-store',
  description: 'networks with room for half of their keys: what of their loading prefetching hides',
  configure: (command) =>
    void command
      .option('--threads <n>', 'threads', positive, availableParallelism())
      .option('--network <name>', 'only this one', choice(...Object.keys(NETWORKS))),
  async run({ threads, network }, emit) {
    for (const [name, make] of Object.entries(NETWORKS)) {
      if (network !== undefined && network !== name) continue
      const bound = await make()
      progress(`${name}: planned`)
      const { runs, ...sizes } = await measureAll(bound, threads)
      const params = { network: name, threads, ...sizes, logN: bound.plan.report.logN }
      const row = (metric: string, value: number, unit: string, more = {}) =>
        emit({ name: 'key-store', params: { ...params, ...more }, metric, value, unit })
      const { all, none, half } = runs
      for (const [keys, { seconds, waited, result }] of Object.entries(runs)) {
        if (Buffer.compare(result, all.result) !== 0)
          throw new HeMlError('Internal', `key-store: the result of "${keys}" differs`)
        row('run', seconds, 's', { keys })
        row('waited-for-keys', waited, 's', { keys })
      }
      row('waiting-hidden', 100 * (1 - half.waited / none.waited), '%')
      row('seconds-hidden', 100 * (1 - (half.seconds - all.seconds) / (none.seconds - all.seconds)), '%')
    }
  },
})

async function lenet5(): Promise<BoundPlan> {
  const model = await loadModel(exampleModel('lenet5-relu.onnx'), 'lenet5-relu')
  const calibration = parseCalibration(await readFile(exampleModel('lenet5-relu.calibration.json'), 'utf8'))
  const activation = { margin: 1.25, method: 'least-squares', degree: 15 } as const
  return compileAndBind(model, { calibration, packing: 'multiplexed', scaleBits: 31, activation })
}

/** Seven bootstraps or so, each of which needs nearly all keys. */
async function bootstrapped(): Promise<BoundPlan> {
  const model = residual(3)
  const images = Array.from({ length: 30 }, (_, i) => seededTensor(model.input.shape, 100 + i))
  return compileAndBind(model, {
    calibration: await fit(model, images),
    activation: { degree: 15, margin: 1.3 },
    bootstrapping: { set: 'N16-B10' },
  })
}

async function measureAll(bound: BoundPlan, threads: number) {
  const folder = await mkdtemp(join(tmpdir(), 'he-ml-keys-'))
  try {
    const input = await prepare(bound, folder, threads)
    const all = bytesOf(bound, listKeyNeeds(bound.plan.keyRequest as KeyRequest))
    const budget = Math.max(all / 2, ...bound.program.tasks.map(({ keys }) => bytesOf(bound, keys)))
    const runs = {
      all: await measure(bound, folder, input, { threads, budget: Number.POSITIVE_INFINITY, prefetch: true }),
      none: await measure(bound, folder, input, { threads, budget, prefetch: false }),
      half: await measure(bound, folder, input, { threads, budget, prefetch: true }),
    }
    return { runs, keyBytes: all, budget }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const bytesOf = ({ parameters }: BoundPlan, needs: Parameters<KeyStore['prefetch']>[0]): number =>
  needs.reduce((sum, need) => sum + keyBytes(parameters, need), 0)

/** Writes the keys. @returns an encrypted input */
async function prepare(bound: BoundPlan, folder: string, threads: number): Promise<Uint8Array> {
  const client = createNativeClient(bound.parameters, { threads })
  const key = await client.generateSecretKey()
  try {
    await writeKeyFolder(client, key, bound.plan.keyRequest as KeyRequest, folder, { plan: bound.plan.id })
    const { shape } = bound.model.input
    const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i))
    const vectors = pack({ shape, data }, inputLayoutOf(bound.plan)).map((values) => ({ values }))
    return await client.encrypt(key, vectors, { contract: contractOf(bound.plan) })
  } finally {
    key.dispose()
    await client.dispose()
  }
}

/** The second run: weights are there, and as many keys as the budget left. */
async function measure(
  bound: BoundPlan,
  folder: string,
  input: Uint8Array,
  { threads, budget, prefetch }: { threads: number; budget: number; prefetch: boolean },
): Promise<Run> {
  const engine = createNativeEngine(bound.parameters, { threads })
  const keys = await openKeyFolder(engine, folder, { budget, plan: bound.plan.id })
  let waited = 0
  const acquire = keys.acquire.bind(keys)
  keys.acquire = async (needs, options) => {
    const started = performance.now()
    const lease = await acquire(needs, options)
    waited += (performance.now() - started) / 1000
    return lease
  }
  if (!prefetch) keys.prefetch = () => ({ dispose: () => undefined, [Symbol.dispose]: () => undefined })
  const runner = new Runner(bound, engine, { keys })
  try {
    const { ciphertexts } = await engine.importCiphertexts(input, { plan: bound.plan.id })
    ;(await runner.run(ciphertexts, { keepWeights: true })).dispose()
    waited = 0
    const started = performance.now()
    using output = await runner.run(ciphertexts, { keepWeights: true })
    const seconds = (performance.now() - started) / 1000
    return { result: await engine.exportCiphertexts(output.ciphertexts), seconds, waited }
  } finally {
    await runner.dispose()
    await keys.dispose()
    await engine.dispose()
  }
}
