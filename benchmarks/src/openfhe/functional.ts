/**
 * OpenFHE's functional bootstrapping beside ours: the same steps on as many points, looked up in integers that fill the coefficients of
 * its ring where ours fill slots. Rings may differ: what compares is the time per value.
 */
import { HeMlError, InvalidArgumentError } from '@he-ml/ckks-core'
import { LineProcess } from '../line-process.ts'
import type { Emit, RowParams } from '../rows.ts'
import { median } from '../statistics.ts'

/** What the driver says of its setting. */
export interface FunctionalReady {
  readonly peer: string
  readonly logN: number
  readonly values: number
  readonly points: number
  readonly function: string
  readonly functions: number
  readonly limbs: number
  readonly special: number
  readonly dnum: number
  readonly logQP: number
  readonly primeBits: number
  readonly secret: string
  readonly security: string
  readonly levelsLeft: number
  readonly keyBytes: number
}

/** What it says of a repetition. */
export interface FunctionalTurn {
  readonly us: number
  readonly cpuUs: number
  readonly conversionUs: number
  readonly wrong: number
  readonly margin: number
  readonly peakBytes: number
}

/** What ours does. */
export interface FunctionalTask {
  readonly points: number
  readonly functions: number
  readonly threads: number
  readonly levelsLeft: number
}

const OPTIONS: readonly (readonly [points: number, options: string])[] = [
  [16, '--log-n 15 --prime-bits 32 --encoding-budget 3 --decoding-budget 3 --dnum 5'],
  [64, '--log-n 16 --prime-bits 38 --encoding-budget 4 --decoding-budget 4 --dnum 3'],
]

/** The fastest setting found for so many points (README of the peers). */
export function peerFunctionalOptions(points: number): string {
  const found = OPTIONS.find(([most]) => points <= most)
  if (found === undefined)
    throw new InvalidArgumentError(
      `--peer-functional: no setting of OpenFHE was tried for ${points} points: name one, or take at most ${OPTIONS.at(-1)![0]} points`,
    )
  return found[1]
}

/**
 * The same functions on as many points, securely; more than ours may not be left to be done.
 *
 * @throws InvalidArgumentError for a setting that is another task; HeMlError where OpenFHE does more
 */
export function checkFunctional(ready: FunctionalReady, { points, functions, levelsLeft }: FunctionalTask): void {
  if (ready.security !== '128 classical')
    throw new InvalidArgumentError('--peer-functional: not with --insecure-ring: only secure settings are compared')
  if (ready.points !== points || ready.functions !== functions)
    throw new InvalidArgumentError(
      `--peer-functional: expected ${functions} functions of ${points} points, got ${ready.functions} of ${ready.points}`,
    )
  if (ready.levelsLeft > levelsLeft)
    throw new HeMlError(
      'Benchmark',
      `ours leaves ${levelsLeft} levels, OpenFHE ${ready.levelsLeft}: compare it with a set that leaves at least as many`,
    )
}

/** OpenFHE's rows. */
export function emitFunctional(ready: FunctionalReady, turns: readonly FunctionalTurn[], threads: number, emit: Emit) {
  const { peer, logN, logQP, limbs, special, dnum, primeBits, secret, points, functions } = ready
  const params: RowParams = {
    ...{ logN, gridValues: points, function: ready.function, functions, threads },
    ...{ logQP, limbs, special, dnum, primeBits, secret },
  }
  const row = (metric: string, value: number, unit: string) => emit({ name: 'step', params, metric, value, unit, peer })
  const time = median(turns.map(({ us }) => us))
  row('time', time / 1e6, 's')
  row('time-per-value', time / ready.values, 'us')
  row('cpu-time', median(turns.map(({ cpuUs }) => cpuUs)) / 1e6, 's')
  row('conversion', median(turns.map(({ conversionUs }) => conversionUs)) / 1e6, 's')
  row('values', turns.length * ready.values, 'values')
  row(
    'wrong',
    turns.reduce((sum, { wrong }) => sum + wrong, 0),
    'decisions',
  )
  row('margin-results', Math.min(...turns.map(({ margin }) => margin)), 'sigmas')
  row('levels-left', ready.levelsLeft, 'levels')
  row('key-bytes', ready.keyBytes / 1e9, 'GB')
  row('peak-rss', turns.at(-1)!.peakBytes / 1e9, 'GB')
}

/** Its process, and every turn it took. */
export class FunctionalPeer implements AsyncDisposable {
  readonly turns: FunctionalTurn[] = []

  private constructor(
    readonly ready: FunctionalReady,
    readonly process: LineProcess<FunctionalReady | FunctionalTurn>,
  ) {}

  static async start(driver: string, options: string, task: FunctionalTask): Promise<FunctionalPeer> {
    const { points, functions, threads } = task
    const numbers = { points, functions, threads }
    const args = [...options.split(' '), ...Object.entries(numbers).flatMap(([name, n]) => [`--${name}`, String(n)])]
    const process = new LineProcess<FunctionalReady | FunctionalTurn>(driver, args, 'the OpenFHE driver')
    try {
      const ready = (await process.next()) as FunctionalReady
      checkFunctional(ready, task)
      return new FunctionalPeer(ready, process)
    } catch (error) {
      await process[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Microseconds of a value. */
  get perValue(): number {
    return median(this.turns.map(({ us }) => us)) / this.ready.values
  }

  /** Milliseconds of one bootstrap of fresh values. */
  async go(): Promise<number> {
    const turn = (await this.process.go()) as FunctionalTurn
    this.turns.push(turn)
    return turn.us / 1e3
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
  }
}
