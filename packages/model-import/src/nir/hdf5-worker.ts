/**
 * The HDF5 library, in a thread of its own: a damaged file can make it loop without end or trap, and a thread can be stopped. It
 * is h5wasm (HDF5 compiled to WebAssembly): it sees no file but those put into its own memory.
 *
 * The thread's program is text, so that it runs the same from source, from a bundle and under test runners, which all resolve
 * files differently. It checks what a file asks for before it reads it, and answers with a tree of arrays or with an error.
 */

import { Worker } from 'node:worker_threads'
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'

/** Numbers or texts, row-major; scalars have the shape []. */
export type HdfArray =
  | { readonly shape: readonly number[]; readonly kind: 'int' | 'float'; readonly data: readonly number[] }
  | { readonly shape: readonly number[]; readonly kind: 'text'; readonly data: readonly string[] }

export interface HdfGroup {
  readonly [name: string]: HdfArray | HdfGroup
}

export const isHdfArray = (entry: HdfArray | HdfGroup): entry is HdfArray =>
  Array.isArray((entry as HdfArray).data) && Array.isArray((entry as HdfArray).shape)

type Answer =
  | { readonly tree: HdfGroup }
  | { readonly bytes: Uint8Array }
  | { readonly isReady: true }
  | {
      readonly error: 'format' | 'unsupported'
      readonly message: string
      /** The library may be in any state: it is thrown away. */
      readonly isFatal?: boolean
    }

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { MAX_OBJECTS, MAX_DEPTH, MAX_NAME, MAX_TEXT } = workerData.limits
const refuse = (error, message) => { throw Object.assign(new Error(message), { refusal: error }) }

function readGroup(library, group, depth, state) {
  if (depth > MAX_DEPTH) refuse('format', 'groups are nested more than ' + MAX_DEPTH + ' deep')
  const tree = Object.create(null)
  for (const name of group.keys()) {
    if (++state.objects > MAX_OBJECTS) refuse('format', 'more than ' + MAX_OBJECTS + ' objects')
    if (name.length > MAX_NAME) refuse('format', 'a name has ' + name.length + ' characters, the limit is ' + MAX_NAME)
    const entry = group.get(name)
    if (entry instanceof library.Dataset) tree[name] = readArray(entry, name, state)
    else if (entry instanceof library.Group) tree[name] = readGroup(library, entry, depth + 1, state)
    else refuse('unsupported', '"' + name + '" is neither a group nor an array (a link to elsewhere?): write it plainly')
  }
  return tree
}

function readArray(dataset, name, state) {
  const { type, size, vlen, shape: dims } = dataset.metadata
  const shape = Array.from(dims ?? [])
  const count = shape.reduce((product, d) => product * d, 1)
  if (shape.length > 8 || !shape.every((d) => Number.isInteger(d) && d >= 0) || !(count <= state.values))
    refuse('format', '"' + name + '" is [' + shape.slice(0, 9) + ']: more values than the limit of ' + state.values + ' left')
  state.values -= count
  const plain = (value) => (shape.length === 0 ? [value] : Array.isArray(value) || ArrayBuffer.isView(value) ? value : [])
  if (type === 3) {
    if (!vlen && size > MAX_TEXT) refuse('format', '"' + name + '" holds texts of ' + size + ' bytes, the limit is ' + MAX_TEXT)
    const data = count === 0 ? [] : Array.from(plain(dataset.value))
    if (data.length !== count || !data.every((text) => typeof text === 'string' && text.length <= MAX_TEXT))
      refuse('format', '"' + name + '" does not hold ' + count + ' short texts')
    return { shape, kind: 'text', data }
  }
  if ((type !== 0 && type !== 1) || ![1, 2, 4, 8].includes(size) || (type === 1 && size === 1))
    refuse('unsupported', '"' + name + '" holds elements of type ' + type + ' with ' + size + ' bytes: write numbers or texts')
  const data = count === 0 ? [] : Array.from(plain(dataset.value), Number)
  if (data.length !== count) refuse('format', '"' + name + '" holds ' + data.length + ' values of ' + count)
  if (type === 0 && !data.every(Number.isSafeInteger)) refuse('format', '"' + name + '" holds integers beyond 2^53')
  return { shape, kind: type === 0 ? 'int' : 'float', data }
}

function writeGroup(group, tree, isDouble) {
  for (const [name, entry] of Object.entries(tree)) {
    if (!Array.isArray(entry.data)) writeGroup(group.create_group(name), entry, isDouble)
    // 'S' without a length: texts of variable length in UTF-8
    else if (entry.kind === 'text') group.create_dataset({ name, data: entry.data, shape: entry.shape, dtype: 'S' })
    else if (entry.kind === 'int')
      group.create_dataset({ name, data: BigInt64Array.from(entry.data, BigInt), shape: entry.shape, dtype: '<q' })
    else if (isDouble) group.create_dataset({ name, data: Float64Array.from(entry.data), shape: entry.shape, dtype: '<d' })
    else group.create_dataset({ name, data: Float32Array.from(entry.data), shape: entry.shape, dtype: '<f' })
  }
}

function answer(library, { bytes, values, tree, isDouble }) {
  const files = library.FS
  const path = '/file.h5'
  let file
  try {
    if (bytes) {
      files.writeFile(path, bytes)
      file = new library.File(path, 'r')
      return { tree: readGroup(library, file, 0, { objects: 0, values }) }
    }
    file = new library.File(path, 'w')
    writeGroup(file, tree, isDouble)
    file.close()
    file = undefined
    return { bytes: Uint8Array.from(files.readFile(path)) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (error?.refusal) return { error: error.refusal, message }
    // the library throws errors, numbers and traps; after a trap, nothing of it can be relied on
    const isFatal = !(error instanceof Error) || error instanceof WebAssembly.RuntimeError
    return { error: 'format', message: 'the file is damaged: ' + message, isFatal }
  } finally {
    try { file?.close() } catch {}
    try { files.unlink(path) } catch {}
  }
}

import(workerData.library).then(async (library) => {
  await library.ready
  parentPort.on('message', (question) => parentPort.postMessage(answer(library, question)))
  parentPort.postMessage({ isReady: true })
})
`

const limits = {
  MAX_OBJECTS: 50_000,
  MAX_DEPTH: 6,
  MAX_NAME: 200,
  /** Longest text of one value. */
  MAX_TEXT: 10_000,
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

/** One thread with the library; one question at a time. A new one for each stranger's file keeps them apart. */
export class Hdf5Worker {
  readonly #timeoutMs: number
  #worker: Worker | undefined

  /** @param timeoutMs a question that takes longer is a damaged file */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /**
   * @param values most values in all arrays together
   * @throws FormatError for anything that is not a small, plain HDF5 file; UnsupportedError for element types beyond numbers and texts
   */
  async read(bytes: Uint8Array, values: number): Promise<HdfGroup> {
    if (!SIGNATURE.every((byte, i) => bytes[i] === byte))
      throw new FormatError('HDF5: expected its signature at the start, got another file')
    const answer = await this.#ask({ bytes, values })
    if (!('tree' in answer)) throw new FormatError('HDF5: the library gave no answer')
    return answer.tree
  }

  /** @throws FormatError when the library fails */
  async write(tree: HdfGroup, isDouble: boolean): Promise<Uint8Array> {
    const answer = await this.#ask({ tree, isDouble })
    if (!('bytes' in answer)) throw new FormatError('HDF5: the library gave no answer')
    return answer.bytes
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  async #ask(question: object): Promise<Answer> {
    this.#worker ??= await start()
    const answer = await listen(this.#worker, this.#timeoutMs, () => this.#worker?.postMessage(question))
    if (!('error' in answer)) return answer
    if (answer.isFatal) await this.close()
    const message = `HDF5: ${answer.message.slice(0, 300)}`
    throw answer.error === 'unsupported' ? new UnsupportedError(message) : new FormatError(message)
  }
}

const START_TIMEOUT_MS = 120_000

async function start(): Promise<Worker> {
  // what the library prints about damaged files goes nowhere: its message is in the error
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: { library: import.meta.resolve('h5wasm'), limits },
    stdout: true,
    stderr: true,
  })
  // an error while nobody listens must not end the process; the next question finds the thread gone
  worker.on('error', () => undefined)
  const answer = await listen(worker, START_TIMEOUT_MS)
  if ('isReady' in answer) return worker
  await worker.terminate()
  throw new UnsupportedError(`HDF5: h5wasm cannot be loaded (${'message' in answer ? answer.message : ''}): install it`)
}

/** The next message of a thread, or why there is none. @param begin called once the thread is listened to */
function listen(worker: Worker, timeoutMs: number, begin?: () => void): Promise<Answer> {
  return new Promise((resolve) => {
    const finish = (result: Answer) => {
      clearTimeout(timer)
      worker.off('message', finish)
      worker.off('error', failed)
      worker.off('exit', ended)
      resolve(result)
    }
    const broken = (message: string) => finish({ error: 'format', message, isFatal: true })
    const failed = (error: unknown) => broken(`the library failed: ${String(error)}`)
    const ended = (code: number) => broken(`the library's thread ended with ${code}`)
    const timer = setTimeout(() => broken(`the library takes longer than ${timeoutMs} ms`), timeoutMs)
    worker.once('message', finish)
    worker.once('error', failed)
    worker.once('exit', ended)
    begin?.()
  })
}
