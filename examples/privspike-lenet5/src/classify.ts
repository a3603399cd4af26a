/** Encrypted classification with keys made for it: keys, encrypt, run, decrypt, a batch at a time. */
import type { Tensor } from '@he-ml/model'
import type { BoundPlan } from '@he-ml/pipeline'
import { stopping } from './progress.ts'
import { type SessionOptions, withSessions } from './session.ts'

export interface ClassifyOptions extends SessionOptions {
  /** Hears of each input, in order, when its run is over: its index, its scores, seconds of its share of the run. */
  readonly onAnswer?: (index: number, scores: Tensor, seconds: number) => void
}

export interface Classified {
  /** Decrypted, one per input. */
  readonly scores: readonly Tensor[]
  readonly seconds: Readonly<Record<Phase, number>>
  /** The most that the server held. */
  readonly peakBytes: number
}

type Phase = 'keys' | 'load' | 'encrypt' | 'run' | 'decrypt'

/** @throws MemoryError when the plan does not fit `memory`; CancelledError through the signal */
export function classify(bound: BoundPlan, inputs: readonly Tensor[], options: ClassifyOptions): Promise<Classified> {
  return withSessions(bound, options, async ({ client, server, seconds: { keys, load } }) => {
    const { startBar, signal, onAnswer } = options
    const { batch } = bound.plan
    const runs = Math.ceil(inputs.length / batch)
    const seconds = { keys, load, encrypt: 0, run: 0, decrypt: 0 }
    const timed = async <T>(phase: Phase, work: Promise<T>): Promise<[T, number]> => {
      const started = performance.now()
      const result = await work
      const took = (performance.now() - started) / 1000
      seconds[phase] += took
      return [result, took]
    }
    const scores: Tensor[] = []
    for (let from = 0; from < inputs.length; from += batch) {
      const part = inputs.slice(from, from + batch)
      const [input] = await timed('encrypt', client.encrypt(part))
      using running = stopping(startBar(`encrypted run ${from / batch + 1} of ${runs}`))
      const onProgress = ({ fraction, layer }: { readonly fraction: number; readonly layer: string }) =>
        running.update(fraction, layer)
      const [result, took] = await timed('run', server.run(input, { signal, onProgress }))
      running.stop()
      const [results] = await timed('decrypt', client.decrypt(result.file, part.length))
      for (const [i, result] of results.entries()) onAnswer?.(from + i, result, took / part.length)
      scores.push(...results)
    }
    return { scores, seconds, peakBytes: server.engine.memory().peak }
  })
}
