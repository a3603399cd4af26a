/** Encrypted classification with keys made for it: keys, encrypt, run, decrypt, a batch at a time. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor } from '@he-ml/model'
import type { BoundPlan } from '@he-ml/pipeline'
import type { StartBar } from './progress.ts'
import { createClient, createServer, writeKeys } from './session.ts'

export interface ClassifyOptions {
  readonly threads: number
  /** Bytes that the server may hold. */
  readonly memory: number
  /** Folder for the evaluation keys, which are gone afterwards. */
  readonly scratch: string
  readonly startBar: StartBar
  readonly signal: AbortSignal
}

export interface Classified {
  /** Decrypted, one per image. */
  readonly logits: readonly Tensor[]
  readonly seconds: Readonly<Record<Phase, number>>
  /** The most that the server held. */
  readonly peakBytes: number
}

type Phase = 'keys' | 'encrypt' | 'run' | 'decrypt'

/** @throws MemoryError when the plan does not fit `memory`; CancelledError through the signal */
export async function classify(
  bound: BoundPlan,
  images: readonly Tensor[],
  options: ClassifyOptions,
): Promise<Classified> {
  const { threads, scratch, startBar, signal } = options
  const seconds = { keys: 0, encrypt: 0, run: 0, decrypt: 0 }
  await using client = await createClient(bound, threads)
  await using server = createServer(bound, options)
  const folder = await mkdtemp(join(scratch, 'he-ml-resnet20-'))
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
  const timed = async <T>(phase: Phase, work: Promise<T>): Promise<T> => {
    const started = performance.now()
    const result = await work
    seconds[phase] += (performance.now() - started) / 1000
    return result
  }

  using making = stopping(startBar('keys'))
  const onProgress = (made: number, total: number) => making.update(made / total, `${made} of ${total}`)
  await timed('keys', writeKeys(client, folder, { signal, onProgress }))
  making.stop()
  await server.openKeys({ kind: 'folder', path: folder })

  using running = stopping(startBar('encrypted network'))
  const logits: Tensor[] = []
  for (let from = 0; from < images.length; from += bound.plan.batch) {
    const part = images.slice(from, from + bound.plan.batch)
    const input = await timed('encrypt', client.encrypt(part))
    const result = await server.run(input, {
      signal,
      onProgress: ({ fraction, layer }) => running.update((from + fraction * part.length) / images.length, layer),
    })
    seconds.run += result.seconds
    logits.push(...(await timed('decrypt', client.decrypt(result.file, part.length))))
  }
  return { logits, seconds, peakBytes: server.engine.memory().peak }
}

/** A bar that stops however its block is left, once. */
function stopping(bar: ReturnType<StartBar>): ReturnType<StartBar> & Disposable {
  let stopped = false
  const stop = () => {
    if (!stopped) bar.stop()
    stopped = true
  }
  return { update: (fraction, detail) => bar.update(fraction, detail), stop, [Symbol.dispose]: stop }
}
