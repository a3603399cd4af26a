/** Medians, and peers measured in turn: what disturbs the machine for a while then disturbs all of them. */
import { InvalidArgumentError } from '@he-ml/ckks-core'

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new InvalidArgumentError('median: expected at least one value, got none')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** A thing to repeat: returns milliseconds when it measures itself (another process), or anything else, also as a promise. */
export type Task = () => unknown

export interface Repeat {
  readonly warmUp: number
  readonly repetitions: number
  /** Runs in a row at each turn; of more than one the first is left out: the other tasks had the caches. Default 1. */
  readonly burst?: number
}

/** Milliseconds of every repetition of every task; each round gives every task its turn and starts with another one. */
export async function interleave<K extends string>(
  tasks: Readonly<Record<K, Task>>,
  { warmUp, repetitions, burst = 1 }: Repeat,
): Promise<Record<K, number[]>> {
  const names = Object.keys(tasks) as K[]
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = -warmUp; round < repetitions; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(((i + round) % names.length) + names.length) % names.length]!
      for (let run = 0; run < burst; run++) {
        const started = performance.now()
        const own = await tasks[name]()
        const elapsed = performance.now() - started
        if (round >= 0 && (run > 0 || burst === 1)) samples[name].push(typeof own === 'number' ? own : elapsed)
      }
    }
  }
  return samples
}

/** -log2 of the largest difference; Infinity for equal vectors. */
export function agreementBits(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) throw new InvalidArgumentError(`expected equal lengths, got ${a.length} and ${b.length}`)
  let worst = 0
  for (const [i, v] of a.entries()) {
    const difference = Math.abs(v - b[i]!)
    if (!(difference <= worst)) worst = difference
  }
  return -Math.log2(worst)
}
