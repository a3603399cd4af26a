// @ts-check
/** Programs run several to a process, one after another: most of the time of a short one is that of starting and of reading packages. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath, pathToFileURL } from 'node:url'

const worker = fileURLToPath(new URL('snippet-worker.mjs', import.meta.url))
/** A process ends after so many: whether it does is looked at, and what they leave behind is given back. */
const BATCH = 16
/** Against hanging alone. */
const MOST_MS = 600_000

/**
 * A process for a batch.
 * @param {readonly string[]} nodeOptions
 */
function start(nodeOptions) {
  const child = fork(worker, { execArgv: [...nodeOptions], silent: true })
  let text = ''
  const streams = [child.stdout, child.stderr].flatMap((stream) => stream ?? [])
  for (const stream of streams)
    stream.on('data', (chunk) => {
      text += chunk
    })
  // not 'close', which a channel that we disconnect from holds back
  const closed = Promise.all([once(child, 'exit'), ...streams.map((stream) => once(stream, 'close'))]).then(
    ([[code, signal]]) => ({ code, signal }),
  )
  return {
    child,
    closed,
    /** All that was written. */
    output: () => text,
  }
}

/** @template T @param {Promise<T>} promise @param {import('node:child_process').ChildProcess} child killed when it takes too long @returns {Promise<T>} */
async function withLimit(promise, child) {
  const timer = setTimeout(() => child.kill('SIGKILL'), MOST_MS)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs files in one process, or in another after one that was ended by a program; each begins when the one before is done.
 * @param {readonly string[]} files paths
 * @param {{ nodeOptions: readonly string[], onFailure: (file: string, why: string) => void }} options
 */
async function runInTurn(files, { nodeOptions, onFailure }) {
  /** @type {ReturnType<typeof start> | undefined} */
  let process
  /** @type {string[]} */
  let here = []
  for (const file of files) {
    process ??= start(nodeOptions)
    const { child, closed, output } = process
    const answered = once(child, 'message').then(([{ failure }]) => ({ failure, isGone: false }))
    const gone = closed.then(({ code, signal }) => ({ failure: `the process ended: ${signal ?? code}`, isGone: true }))
    child.send(pathToFileURL(file).href)
    const { failure, isGone } = await withLimit(Promise.race([answered, gone]), child)
    // an answer has its program's output, an end has not
    const written = isGone ? output() : ''
    if (failure !== undefined) onFailure(file, `${written}${failure}\n`)
    here = isGone ? [] : [...here, file]
    if (isGone) process = undefined
  }
  if (process === undefined) return
  const { child, closed, output } = process
  child.disconnect()
  const { code, signal } = await withLimit(closed, child)
  const last = here.at(-1)
  if ((code !== 0 || signal) && last !== undefined)
    onFailure(last, `${output()}it, or one of those before it, does not let the process end: ${signal ?? code}\n`)
}

/**
 * Runs programs in several processes.
 * @param {readonly string[]} files paths of modules, no two the same
 * @param {object} options
 * @param {number} options.processes at a time
 * @param {readonly string[]} [options.nodeOptions] of every process
 * @returns {Promise<Map<string, string>>} what failed, and how, by path
 */
export async function runPrograms(files, { processes, nodeOptions = [] }) {
  /** @type {Map<string, string>} */
  const failures = new Map()
  const onFailure = (/** @type {string} */ file, /** @type {string} */ why) =>
    failures.set(file, `${failures.get(file) ?? ''}${why}`)
  const share = Math.max(1, Math.min(BATCH, Math.ceil(files.length / processes)))
  const shares = Array.from({ length: Math.ceil(files.length / share) }, (_, i) =>
    files.slice(i * share, (i + 1) * share),
  ).values()
  const take = async () => {
    for (const some of shares) await runInTurn(some, { nodeOptions, onFailure })
  }
  await Promise.all(Array.from({ length: processes }, take))
  return failures
}
