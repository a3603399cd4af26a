/**
 * Keys by need: LeNet-5 with room for half of its keys. How long tasks wait for keys, with and without prefetching, against a run that
 * has them all; the three results are the same to the bit.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeMlError, type KeyRequest, type KeyStore, keyBytes, listKeyNeeds } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeEngine, openKeyFolder } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { pack } from '@he-ml/packing'
import { type BoundPlan, compileAndBind, contractOf, inputLayoutOf, parseCalibration, Runner } from '@he-ml/pipeline'
import { define } from './benchmark.ts'
import { loadModel } from './networks/digits.ts'
import { positive } from './option-types.ts'
import { exampleModel } from './places.ts'

interface Options {
  readonly threads: number
}

interface Run {
  readonly result: Uint8Array
  readonly seconds: number
  readonly waited: number
}

export const keyStore = define<Options>({
  name: 'key-store',
  description: 'LeNet-5 with room for half of its keys: what of their loading prefetching hides',
  configure: (command) => void command.option('--threads <n>', 'threads', positive, availableParallelism()),
  async run({ threads }, emit) {
    const model = await loadModel(exampleModel('lenet5-relu.onnx'), 'lenet5-relu')
    const calibration = parseCalibration(await readFile(exampleModel('lenet5-relu.calibration.json'), 'utf8'))
    const activation = { margin: 1.25, method: 'least-squares', degree: 15 } as const
    const bound = await compileAndBind(model, { calibration, packing: 'multiplexed', scaleBits: 31, activation })
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
      const params = { threads, keyBytes: all, budget, logN: bound.plan.report.logN }
      const row = (metric: string, value: number, unit: string, more = {}) =>
        emit({ name: 'key-store', params: { ...params, ...more }, metric, value, unit })
      for (const [keys, { seconds, waited, result }] of Object.entries(runs)) {
        if (Buffer.compare(result, runs.all.result) !== 0)
          throw new HeMlError('Internal', `key-store: the result of "${keys}" differs`)
        row('run', seconds, 's', { keys })
        row('waited-for-keys', waited, 's', { keys })
      }
      row('loading-hidden', 100 * (1 - runs.half.waited / runs.none.waited), '%')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
})

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
