/**
 * A bootstrap of all slots against OpenFHE's, in turn: same ring, slots and threads, fresh random values in the unit disc
 * every time, OpenFHE in the fastest 128-bit setting found that leaves as many levels as ours. Each has a process of its
 * own, so that each one's memory is its own.
 */
import { availableParallelism } from 'node:os'
import { bootstrappingSet, HeMlError, InvalidArgumentError } from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import { bits, overall, type SlotErrors } from '../bootstrapping/accuracy.ts'
import { BootstrappingClient, BootstrappingServer } from '../bootstrapping/encrypted-bootstrapping.ts'
import { randomSlots, randomSource } from '../bootstrapping/random-slots.ts'
import { LineProcess } from '../line-process.ts'
import { progress } from '../progress.ts'
import type { Emit, RowParams } from '../rows.ts'
import { interleave, median } from '../statistics.ts'

export interface BootstrapPeerOptions {
  readonly set: string
  readonly threads: readonly number[]
  readonly bootstraps: number
  readonly peerBootstrap: string
}

/**
 * Our set, and OpenFHE's best setting beside it: slots to coefficients first, its sparse secret only while the modulus is
 * raised and our dense one otherwise (its own weight of 192 is not what its security table is for). README of the peers.
 */
export const PEER_BOOTSTRAP = {
  set: 'N16-B10',
  options: '--levels 10 --secret dense-encapsulated --slots-to-coeffs-first --scaling-bits 48 --first-bits 56 --dnum 4',
} as const

interface ReadyLine {
  readonly peer: string
  readonly logN: number
  readonly slots: number
  readonly limbs: number
  readonly special: number
  readonly dnum: number
  readonly logQP: number
  readonly secret: string
  readonly security: string
  readonly levelsLeft: number
  readonly keySeconds: number
  readonly keyBytes: number
}

interface BootstrapLine {
  readonly us: number
  readonly precisionMean: number
  readonly precisionMin: number
  readonly peakBytes: number
}

const NAME = 'bootstrap'
const GB = 1e9
/** A result with fewer bits in its worst slot is a wrong one; the driver has a bound of its own. */
const LEAST_BITS = 8
const SEED = 2027

export async function compareBootstrap(driver: string, options: BootstrapPeerOptions, emit: Emit): Promise<void> {
  const { parameters, spec } = bootstrappingSet(options.set)
  await using client = await BootstrappingClient.create(
    { parameters, spec },
    {
      threads: availableParallelism(),
      onKey: (made, total) => progress(`our key ${made} of ${total}`),
    },
  )
  for (const threads of options.threads) await compare(driver, client, options, threads, emit)
}

async function compare(
  driver: string,
  client: BootstrappingClient,
  { set, bootstraps, peerBootstrap }: BootstrapPeerOptions,
  threads: number,
  emit: Emit,
): Promise<void> {
  const { circuit } = client
  const { logN, logQP, qLimbs, p } = circuit.parameters
  const { slots } = circuit.spec
  const { server } = await BootstrappingServer.start(client, threads)
  await using _server = server
  progress('OpenFHE makes its keys')
  const args = [...peerBootstrap.split(' '), '--log-n', String(logN), '--threads', String(threads)]
  await using peer = new LineProcess<ReadyLine | BootstrapLine>(driver, args, 'the OpenFHE driver')
  const ready = (await peer.next()) as ReadyLine
  checkAlike(ready, { logN, slots, levels: circuit.usableLevels })

  const random = randomSource(SEED)
  const { errors: first } = await server.bootstrap(randomSlots(slots, 'complex', random)) // OpenFHE has had its own
  if (!(bits(first.max) >= LEAST_BITS))
    throw new HeMlError('Benchmark', `our bootstrap decrypts to ${bits(first.max).toFixed(1)} bits in its worst slot`)
  const errors: SlotErrors[] = []
  const lines: BootstrapLine[] = []
  const samples = await interleave(
    {
      ours: async () => {
        const { seconds, errors: own } = await server.bootstrap(randomSlots(slots, 'complex', random))
        errors.push(own)
        progress(`our bootstrap: ${seconds.toFixed(2)} s`)
        return 1e3 * seconds
      },
      theirs: async () => {
        const line = (await peer.go()) as BootstrapLine
        lines.push(line)
        progress(`OpenFHE's bootstrap: ${(line.us / 1e6).toFixed(2)} s`)
        return line.us / 1e3
      },
    },
    { warmUp: 0, repetitions: bootstraps },
  )
  const common = { logN, slots, threads }
  const rows = (params: RowParams, values: Record<string, readonly [number, string]>, name?: string) => {
    for (const [metric, [value, unit]] of Object.entries(values))
      emit({ name: NAME, params, metric, value, unit, ...(name === undefined ? {} : { peer: name }) })
  }
  const usage = await server.usage()
  const own = { ...common, set, logQP: Math.round(logQP), limbs: qLimbs.length, special: p.length }
  const { mean, max } = overall(errors)
  rows(
    { ...own, kernel: kernels().active },
    {
      time: [median(samples.ours) / 1e3, 's'],
      'time-best': [Math.min(...samples.ours) / 1e3, 's'],
      'precision-mean': [bits(mean), 'bits'],
      'precision-min': [bits(max), 'bits'],
      'levels-left': [circuit.usableLevels, 'levels'],
      'key-bytes': [usage.keyBytes! / GB, 'GB'],
      'peak-rss': [usage.peakBytes! / GB, 'GB'],
    },
  )
  const { logQP: peerLogQP, limbs, special, dnum, secret } = ready
  const average = lines.reduce((sum, l) => sum + 2 ** -l.precisionMean, 0) / lines.length
  rows(
    { ...common, logQP: peerLogQP, limbs, special, dnum, secret },
    {
      time: [median(samples.theirs) / 1e3, 's'],
      'time-best': [Math.min(...samples.theirs) / 1e3, 's'],
      'precision-mean': [bits(average), 'bits'],
      'precision-min': [Math.min(...lines.map((l) => l.precisionMin)), 'bits'],
      'levels-left': [ready.levelsLeft, 'levels'],
      'key-bytes': [ready.keyBytes / GB, 'GB'],
      'peak-rss': [lines.at(-1)!.peakBytes / GB, 'GB'],
    },
    ready.peer,
  )
  rows(
    { ...common, set, kernel: kernels().active },
    { speedup: [median(samples.theirs) / median(samples.ours), 'x'] },
    ready.peer,
  )
}

/** A comparison in our favour would not be one: OpenFHE may leave fewer levels, but must do the same work securely. */
function checkAlike(ready: ReadyLine, ours: { logN: number; slots: number; levels: number }): void {
  if (ready.security !== '128 classical')
    throw new InvalidArgumentError('--peer-bootstrap: not with --insecure-ring: only secure settings are compared')
  if (ready.logN !== ours.logN || ready.slots !== ours.slots)
    throw new InvalidArgumentError(
      `--peer-bootstrap: expected ring 2^${ours.logN} with ${ours.slots} slots, got 2^${ready.logN} with ${ready.slots}`,
    )
  if (ready.levelsLeft > ours.levels)
    throw new HeMlError(
      'Benchmark',
      `ours leaves ${ours.levels} levels, OpenFHE ${ready.levelsLeft}: compare it with a set that leaves at least as many`,
    )
}
