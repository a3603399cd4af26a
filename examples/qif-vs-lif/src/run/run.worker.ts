/**
 * A process that does one run after another, with kernels of its own. Ctrl-C in a terminal reaches it too, but its parent
 * decides what happens; without a parent it ends.
 */
import { HeMlError } from '@he-ml/ckks-core'
import type { Digits } from '@he-ml/example-train-spiking-lenet5/data'
import { createFloatKernels, type NativeFloatKernels } from '@he-ml/float-kernels'
import { digestOf } from '../cells/settings.ts'
import type { FromWorker, TimedResult, ToWorker } from './messages.ts'
import { type DataRequest, prepareData } from './prepare-data.ts'
import { runCell } from './run-cell.ts'

/** Least time between two reports, in milliseconds. */
const REPORT_EVERY = 150

let kernels: NativeFloatKernels | undefined
let cancelling = new AbortController()
let held: { readonly key: string; readonly data: Digits } | undefined

process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit(1))
process.on('message', (message: ToWorker) => {
  if (message.kind === 'run') void answer(message)
  else if (message.kind === 'cancel') cancelling.abort()
  else void close()
})

/** Where the parent is gone nobody hears it, and 'disconnect' ends this process; without a callback the failed write would throw. */
function say(message: FromWorker): void {
  if (process.connected) process.send!(message, undefined, undefined, () => undefined)
}

async function answer(message: Extract<ToWorker, { kind: 'run' }>): Promise<void> {
  try {
    say({ kind: 'done', ...(await run(message)) })
  } catch (error) {
    const isOurs = error instanceof HeMlError || typeof (error as { code?: unknown }).code === 'string'
    const { code = 'Worker', message: text, stack } = error as Error & { code?: string }
    say({ kind: 'failed', code, message: isOurs ? text : (stack ?? String(error)) })
  }
}

async function run({ job, request, options }: Extract<ToWorker, { kind: 'run' }>): Promise<TimedResult> {
  cancelling = new AbortController()
  const { signal } = cancelling
  kernels ??= createFloatKernels({ threads: options.threads })
  const data = await hold(request, options, signal)
  const started = performance.now()
  let reported = Number.NEGATIVE_INFINITY
  const result = await runCell(job.settings, data, {
    kernels,
    signal,
    onProgress(progress) {
      if (!progress.finished && performance.now() - reported < REPORT_EVERY) return
      reported = performance.now()
      say({ kind: 'progress', progress })
    },
  })
  return { result, seconds: (performance.now() - started) / 1000 }
}

/** The data of the last run where they are the same. */
async function hold(
  request: DataRequest,
  { folder, cache }: { readonly folder: string; readonly cache: string },
  signal: AbortSignal,
): Promise<Digits> {
  const key = digestOf(request)
  if (held?.key !== key) {
    held = undefined // free before more is read
    held = { key, data: await prepareData(request, { folder, cache, signal }) }
  }
  return held.data
}

async function close(): Promise<void> {
  await kernels?.[Symbol.asyncDispose]()
  process.disconnect()
}
