/**
 * Bootstrapping: time, precision over many ciphertexts of fresh random values, levels left, the server's memory, keys. With
 * --chain one ciphertext is bootstrapped again and again, all its levels used up in between.
 */
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import {
  BOOTSTRAPPING_SETS,
  type Bootstrapping,
  bootstrappingSet,
  designRefresh,
  HeMlError,
  InvalidArgumentError,
} from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import { define } from '../benchmark.ts'
import { atLeastTwo, choice, positive, positiveList } from '../option-types.ts'
import { progress } from '../progress.ts'
import type { Emit, RowParams } from '../rows.ts'
import { median } from '../statistics.ts'
import { bits, chainGrowth, overall, type SlotErrors } from './accuracy.ts'
import { BootstrappingClient, BootstrappingServer, type BootstrapResult } from './encrypted-bootstrapping.ts'
import { randomSlots, randomSource } from './random-slots.ts'
import { measureTogether } from './together.ts'

interface Options {
  readonly set: string
  readonly design?: readonly number[]
  readonly relu?: number
  readonly slots?: number
  readonly content: 'complex' | 'real'
  readonly threads: readonly number[]
  readonly count: number
  readonly repetitions: number
  readonly iterated?: number
  readonly together?: readonly number[]
  readonly chain?: number
  readonly series?: string
}

const NAME = 'bootstrap'
const GB = 1e9
/** A result with fewer bits in its worst slot is a wrong one: nothing is timed then. */
const LEAST_BITS = 8
/** The same of a ReLU: its polynomial of degree 31 is right to 7 bits at the corner. */
const LEAST_RELU_BITS = 6
/** Left between the worst error seen and the range when an error is enlarged for a second bootstrap. */
const GAIN_MARGIN = 3
/** What a second bootstrap takes: one level below, one above. */
const ITERATED_LEVELS = 2
const SEED = 2026
const SETS = Object.keys(BOOTSTRAPPING_SETS)

export const bootstrap = define<Options>({
  name: NAME,
  description: 'refreshing a ciphertext: time, precision over many, levels left, memory, keys; chains of bootstraps',
  configure: (command) =>
    void command
      .option('--set <name>', `parameters: ${SETS.join(', ')}`, SETS[0])
      .option(
        '--design <list>',
        'in place of a set one designed for levels, bits and bits of the scale: 10,22,42',
        positiveList,
      )
      .option(
        '--relu <degree>',
        'ReLU of the values by a polynomial of this odd degree on the way; with --design',
        positive,
      )
      .option('--slots <n>', 'slots, a power of two (default: those of the set)', positive)
      .option('--content <kind>', 'complex or real values', choice('complex', 'real'), 'complex')
      .option('--threads <list>', 'thread counts of the server', positiveList, [1, availableParallelism()])
      .option('--count <n>', 'ciphertexts of fresh random values, on the last thread count', positive, 20)
      .option('--repetitions <n>', 'ciphertexts on each other thread count', positive, 5)
      .option('--iterated <n>', 'ciphertexts refreshed by two bootstraps each, on the last thread count', positive)
      .option(
        '--together <list>',
        'eight ciphertexts in groups of so many, bootstrapped in lock step: 1,2,4; the sizes take turns, as many as repetitions',
        positiveList,
      )
      .option(
        '--chain <n>',
        'bootstraps of one ciphertext in a row, two at least, on the last thread count',
        atLeastTwo,
      )
      .option('--series <file>', 'JSON: the errors of the chain, one after another'),
  async run({ slots, content, threads, count, repetitions, iterated, together, chain, series, ...wanted }, emit) {
    const { set, made } = await setOf(wanted)
    const adapted = { ...made, spec: { ...made.spec, ...(slots === undefined ? {} : { slots }), content } }
    const relu = wanted.relu !== undefined
    await using client = await BootstrappingClient.create(adapted, {
      threads: availableParallelism(),
      onKey: (made, total) => progress(`key ${made} of ${total}`),
    })
    const { circuit } = client
    const { logN, logQP } = circuit.parameters
    const kernel = kernels().active
    const common = { set, logN, slots: circuit.spec.slots, content, kernel, ...(relu ? { relu: wanted.relu! } : {}) }
    const row = (params: RowParams, metric: string, value: number, unit: string) =>
      emit({ name: NAME, params, metric, value, unit })
    row(common, 'levels-left', circuit.usableLevels, 'levels')
    row(common, 'log-qp', logQP, 'bits')
    row(common, 'failure-probability', circuit.failureProbability, 'per bootstrap')
    row(common, 'keys-count', client.keys.keys, 'keys')
    row(common, 'keys-generate', client.keySeconds, 's')
    row(common, 'key-file-bytes', client.keys.bytes / GB, 'GB')
    for (const [i, threadCount] of threads.entries()) {
      const last = i === threads.length - 1
      const { server, loadSeconds, prepareSeconds } = await BootstrappingServer.start(client, threadCount)
      await using _server = server
      const params = { ...common, threads: threadCount }
      row(params, 'keys-load', loadSeconds, 's')
      row(params, 'prepare', prepareSeconds, 's')
      const measured = await measureFresh(server, { ...circuit.spec, relu }, last ? count : repetitions)
      row(params, 'time', median(measured.seconds), 's')
      row(params, 'time-best', Math.min(...measured.seconds), 's')
      const { mean, max } = overall(measured.errors)
      const many = { ...params, ciphertexts: measured.errors.length }
      row(many, 'precision-mean', bits(mean), 'bits')
      row(many, 'precision-min', bits(max), 'bits')
      if (together !== undefined)
        await measureTogether({
          client,
          server,
          sizes: together,
          turns: repetitions,
          leastBits: LEAST_BITS,
          params,
          emit,
        })
      const usage = await server.usage()
      row(params, 'key-bytes', usage.keyBytes! / GB, 'GB')
      row(params, 'peak-rss', usage.peakBytes! / GB, 'GB')
      if (last && iterated !== undefined)
        await measureIterated({ server, circuit, gainBits: gainFor(max), count: iterated, params, emit })
      if (last && chain !== undefined)
        await measureChain({ client, server, single: overall(measured.errors), rounds: chain, series, params, emit })
    }
  },
})

/** The named set, or one designed. */
async function setOf({ set, design, relu }: Pick<Options, 'set' | 'design' | 'relu'>) {
  if (design === undefined) {
    if (relu !== undefined)
      throw new InvalidArgumentError('--relu: named sets evaluate no functions; give --design too')
    return { set, made: bootstrappingSet(set) }
  }
  const [levels, precisionBits, scaleBits] = design
  if (precisionBits === undefined)
    throw new InvalidArgumentError('--design: expected levels and bits, and maybe bits of the scale')
  const need = { levels: levels!, precisionBits, rings: [16] }
  const more = {
    ...(scaleBits === undefined ? {} : { scaleBits }),
    ...(relu === undefined ? {} : { functionDegree: relu }),
  }
  const { set: made } = await designRefresh({ ...need, ...more })
  return { set: `${levels} levels, ${precisionBits} bits`, made }
}

interface Fresh {
  readonly seconds: number[]
  readonly errors: SlotErrors[]
}

/** Warms up and checks, then bootstraps `count` ciphertexts of values of their own. */
async function measureFresh(
  server: BootstrappingServer,
  { slots, content, relu }: { readonly slots: number; readonly content: 'complex' | 'real'; readonly relu: boolean },
  count: number,
): Promise<Fresh> {
  const random = randomSource(SEED)
  const { errors: first } = await server.bootstrap(randomSlots(slots, content, random), relu)
  const least = relu ? LEAST_RELU_BITS : LEAST_BITS
  if (!(bits(first.max) >= least))
    throw new HeMlError(
      'Benchmark',
      `the bootstrapped ciphertext decrypts to ${bits(first.max).toFixed(1)} bits in its worst slot, expected ${least}`,
    )
  const fresh: Fresh = { seconds: [], errors: [] }
  for (let i = 0; i < count; i++) {
    const { seconds, errors } = await server.bootstrap(randomSlots(slots, content, random), relu)
    fresh.seconds.push(seconds)
    fresh.errors.push(errors)
    const worst = bits(overall(fresh.errors).max)
    progress(`bootstrap ${i + 1} of ${count}: ${seconds.toFixed(2)} s, worst slot so far ${worst.toFixed(1)} bits`)
  }
  return fresh
}

/** Bits to enlarge an error by: it must stay within the range, and others may be larger than the worst seen. */
const gainFor = (worst: number): number => Math.floor(bits(worst)) - GAIN_MARGIN

/** Two bootstraps for each of `count` ciphertexts. */
async function measureIterated(of: {
  readonly server: BootstrappingServer
  readonly circuit: Bootstrapping
  readonly gainBits: number
  readonly count: number
  readonly params: RowParams
  readonly emit: Emit
}): Promise<void> {
  const { server, circuit, gainBits, count, emit } = of
  const random = randomSource(SEED + 2)
  const results: BootstrapResult[] = []
  for (let i = 0; i < count; i++) {
    results.push(await server.iterated(randomSlots(circuit.spec.slots, circuit.spec.content, random), gainBits))
    progress(`iterated bootstrap ${i + 1} of ${count}: ${results.at(-1)!.seconds.toFixed(2)} s`)
  }
  const { mean, max } = overall(results.map((r) => r.errors))
  const params = { ...of.params, gainBits, ciphertexts: count }
  const row = (metric: string, value: number, unit: string) =>
    emit({ name: 'bootstrap-iterated', params, metric, value, unit })
  row('time', median(results.map((r) => r.seconds)), 's')
  row('precision-mean', bits(mean), 'bits')
  row('precision-min', bits(max), 'bits')
  row('levels-left', circuit.usableLevels - ITERATED_LEVELS, 'levels')
}

/** One ciphertext through many bootstraps. */
async function measureChain(of: {
  readonly client: BootstrappingClient
  readonly server: BootstrappingServer
  readonly single: SlotErrors
  readonly rounds: number
  readonly series: string | undefined
  readonly params: RowParams
  readonly emit: Emit
}): Promise<void> {
  const { client, server, single, rounds, series, emit } = of
  const { slots, content } = client.circuit.spec
  const values = randomSlots(slots, content, randomSource(SEED + 1))
  const one = { re: new Float64Array(slots).fill(1), im: new Float64Array(slots) }
  const ones = await client.encrypt(one, client.circuit.outputLevel, 'ones')
  const errors = [(await server.bootstrap(values)).errors]
  while (errors.length < rounds) {
    const { seconds, errors: now } = await server.chain(values, ones)
    errors.push(now)
    progress(
      `chain ${errors.length} of ${rounds}: ${seconds.toFixed(2)} s, worst slot ${bits(now.max).toFixed(1)} bits`,
    )
  }
  if (series !== undefined)
    await writeFile(series, `${JSON.stringify({ ...of.params, rounds, single, chain: errors }, null, 1)}\n`)
  const params = { ...of.params, rounds }
  const growth = chainGrowth(errors, single)
  const last = errors.at(-1)!
  const row = (metric: string, value: number, unit: string) =>
    emit({ name: 'bootstrap-chain', params, metric, value, unit })
  row('precision-mean', bits(last.mean), 'bits')
  row('precision-min', bits(last.max), 'bits')
  row('growth-mean', growth.mean, 'x')
  row('growth-max', growth.max, 'x')
}
