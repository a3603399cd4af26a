/**
 * Keys by need, with room for a part of them: how long tasks wait for keys, with and without prefetching, and how long the run
 * takes, against one that has all keys; the three results are the same to the bit. Processor seconds tell what loading costs.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeMlError, type KeyRequest, type KeyStore, keyBytes, listKeyNeeds } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeEngine, openKeyFolder } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { pack } from '@he-ml/packing'
import { type BoundPlan, contractOf, inputLayoutOf, Runner } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { choice, fraction, positive } from '../option-types.ts'
import { progress } from '../progress.ts'
import { NETWORKS, type Network } from './networks.ts'

interface Options {
  readonly threads: number
  readonly network?: string
  /** Room for keys, as a part of them all. */
  readonly room: number
}

/** How one run has its keys. */
interface Way {
  readonly threads: number
  readonly budget: number
  readonly prefetch: boolean
}

interface Run {
  readonly result: Uint8Array
  readonly seconds: number
  readonly waited: number
  /** Of all threads, in the process and in the kernel for it. */
  readonly processor: number
  readonly kernel: number
}

export const keyStore = define<Options>({
  name: 'key-store',
  description: 'networks with room for a part of their keys: what of their loading prefetching hides',
  configure: (command) =>
    void command
      .option('--threads <n>', 'threads', positive, availableParallelism())
      .option('--network <name>', 'only this one', choice(...Object.keys(NETWORKS)))
      .option('--room <part>', "room for keys, as a part of them all; at least the neediest task's", fraction, 0.5),
  async run({ threads, network, room }, emit) {
    for (const [name, of] of Object.entries(NETWORKS)) {
      if (network !== undefined && network !== name) continue
      const bound = await of.bind()
      if (!bound) continue
      progress(`${name}: planned`)
      const { runs, ...sizes } = await measureAll(bound, of, { threads, room })
      const params = { network: name, threads, ...sizes, logN: bound.plan.report.logN }
      const row = (metric: string, value: number, unit: string, more = {}) =>
        emit({ name: 'key-store', params: { ...params, ...more }, metric, value, unit })
      const { all, none, some } = runs
      for (const [keys, { seconds, waited, processor, kernel, result }] of Object.entries(runs)) {
        if (Buffer.compare(result, all.result) !== 0)
          throw new HeMlError('Internal', `key-store: the result of "${keys}" differs`)
        row('run', seconds, 's', { keys })
        row('waited-for-keys', waited, 's', { keys })
        row('processor-time', processor, 's', { keys })
        row('kernel-time', kernel, 's', { keys })
      }
      row('waiting-hidden', 100 * (1 - some.waited / none.waited), '%')
      row('seconds-hidden', 100 * (1 - (some.seconds - all.seconds) / (none.seconds - all.seconds)), '%')
    }
  },
})

async function measureAll(bound: BoundPlan, { keepWeights }: Network, { threads, room }: Options) {
  const folder = await mkdtemp(join(tmpdir(), 'he-ml-keys-'))
  try {
    const input = await prepare(bound, folder, threads)
    const all = bytesOf(bound, listKeyNeeds(bound.plan.keyRequest as KeyRequest))
    const budget = Math.max(all * room, ...bound.program.tasks.map(({ keys }) => bytesOf(bound, keys)))
    const ways: Record<'all' | 'none' | 'some', Way> = {
      all: { threads, budget: Number.POSITIVE_INFINITY, prefetch: true },
      none: { threads, budget, prefetch: false },
      some: { threads, budget, prefetch: true },
    }
    const runs = {} as Record<keyof typeof ways, Run>
    for (const [keys, way] of Object.entries(ways)) {
      runs[keys as keyof typeof ways] = await measure(bound, { folder, input, keepWeights }, way)
      progress(`keys: ${keys}`)
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

interface Setting {
  readonly folder: string
  readonly input: Uint8Array
  readonly keepWeights: boolean
}

/** The second run: weights are there, if they fit, and as many keys as the budget left. */
async function measure(
  bound: BoundPlan,
  { folder, input, keepWeights }: Setting,
  { threads, budget, prefetch }: Way,
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
    ;(await runner.run(ciphertexts, { keepWeights })).dispose()
    waited = 0
    const started = performance.now()
    const before = process.cpuUsage()
    using output = await runner.run(ciphertexts, { keepWeights })
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(before)
    const result = await engine.exportCiphertexts(output.ciphertexts)
    return { result, seconds, waited, processor: (user + system) / 1e6, kernel: system / 1e6 }
  } finally {
    await runner.dispose()
    await keys.dispose()
    await engine.dispose()
  }
}
