/**
 * The HDF5 library, in a thread of its own: a damaged file can make it loop without end or trap, and a thread can be stopped. It
 * is h5wasm (HDF5 compiled to WebAssembly): it sees no file but those put into its own memory.
 *
 * It finds the objects of a file; what they hold is read by dataset.ts, for h5wasm hands out memory as it was where the
 * library fails to unpack (its status is dropped). The library's complaints come by console.error and are failures, each of them.
 *
 * The thread's program is text, so that it runs the same from source, from a bundle and under test runners, which all resolve
 * files differently.
 */

import { Worker } from 'node:worker_threads'
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { type Budget, readDataset } from './dataset.ts'
import type { HdfEntry, HdfGroup } from './tree.ts'

/** Where an array's object header lies, or why nobody looked. */
type Found = { readonly address: number } | { readonly unread: string } | FoundGroup
interface FoundGroup {
  readonly group: readonly (readonly [name: string, entry: Found])[]
}

type Answer =
  | { readonly found: FoundGroup }
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
const { MAX_OBJECTS, MAX_DEPTH, MAX_NAME } = workerData.limits
// the library was compiled to print here, and goes on after its errors
let complaints = []
console.error = console.warn = (...words) => { if (complaints.length < 100) complaints.push(words.join(' ')) }
const complained = () => {
  // the innermost line of the first report says what is wrong; the rest says who called whom
  const lines = complaints.filter((text) => /^ *#[0-9]/.test(text))
  const second = lines.findIndex((text, i) => i > 0 && /^ *#0+:/.test(text))
  const line = (second < 0 ? lines.at(-1) : lines[second - 1]) ?? complaints[0]
  return line.replace(/^ *#[0-9]+: /, '').replace(/^[^ ]+ line [0-9]+ in /, '')
}
const refuse = (error, message) => { throw Object.assign(new Error(message), { refusal: error }) }

function findGroup(library, file, path, depth, state) {
  const where = path === '' ? 'the file' : '"' + path.slice(1) + '"'
  if (depth > MAX_DEPTH) refuse('unsupported', where + ' is nested deeper than the limit of ' + MAX_DEPTH + ' groups')
  const group = []
  for (const name of library.Module.get_names(file, path || '/', false)) {
    const own = path + '/' + name
    if (++state.objects > MAX_OBJECTS) refuse('unsupported', where + ': more than the limit of ' + MAX_OBJECTS + ' objects in a file')
    if (name.length > MAX_NAME)
      refuse('unsupported', where + ': a name of ' + name.length + ' characters, the limit is ' + MAX_NAME)
    const type = library.Module.get_type(file, own)
    if (type === -1) refuse('format', '"' + own.slice(1) + '" leads nowhere: the file is damaged')
    group.push([name, findEntry(library, file, own, type, depth, state)])
  }
  return { group }
}

function findEntry(library, file, path, type, depth, state) {
  const { Module } = library
  if (type === Module.H5G_GROUP) return findGroup(library, file, path, depth + 1, state)
  if (type === Module.H5G_DATASET) {
    // an object reference is the address of the object's header
    const reference = Uint8Array.from(Module.create_object_reference(file, path))
    return { address: Number(new DataView(reference.buffer).getBigUint64(0, true)) }
  }
  return { unread: 'is neither a group nor an array (a link to elsewhere, a type?): write it plainly' }
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

function answer(library, { bytes, tree, isDouble }) {
  const files = library.FS
  const path = '/file.h5'
  complaints = []
  let file
  try {
    if (bytes) {
      files.writeFile(path, bytes)
      file = new library.File(path, 'r')
      return { found: findGroup(library, file.file_id, '', 0, { objects: 0 }) }
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

// what is printed while the file is closed counts as well
function answerOrComplain(library, question) {
  const result = answer(library, question)
  if (complaints.length === 0 || result.error === 'unsupported') return result
  const message = 'the file is damaged: the HDF5 library says: ' + complained()
  return { error: 'format', message, isFatal: result.isFatal }
}

import(workerData.library).then(async (library) => {
  await library.ready
  parentPort.on('message', (question) => parentPort.postMessage(answerOrComplain(library, question)))
  parentPort.postMessage({ isReady: true })
})
`

const limits = {
  MAX_OBJECTS: 50_000,
  /** Nested groups: a node's metadata is the fourth, dictionaries in it go deeper. */
  MAX_DEPTH: 24,
  MAX_NAME: 200,
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
   * @throws FormatError for anything that is no sound HDF5 file; UnsupportedError beyond the limits. Sound arrays of other
   *   forms come as entries that say why they are not read
   */
  async read(bytes: Uint8Array, values: number): Promise<HdfGroup> {
    if (!SIGNATURE.every((byte, i) => bytes[i] === byte))
      throw new FormatError('HDF5: expected its signature at the start, got another file')
    const answer = await this.#ask({ bytes })
    if (!('found' in answer)) throw new FormatError('HDF5: the library gave no answer')
    checkSizes(bytes)
    return readGroup(bytes, answer.found, { values }, [])
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

/** The widths of addresses and lengths, which old systems had at 4 bytes. @throws UnsupportedError, FormatError */
function checkSizes(bytes: Uint8Array): void {
  const at = bytes[8]! < 2 ? 13 : 9
  if (bytes[8]! > 3) throw new UnsupportedError(`HDF5: version ${bytes[8]} of the file's head: write it for HDF5 1.14`)
  if (bytes[at] !== 8 || bytes[at + 1] !== 8)
    throw new UnsupportedError(`HDF5: addresses of ${bytes[at]} bytes, expected 8: write the file again`)
}

function readGroup(bytes: Uint8Array, { group }: FoundGroup, budget: Budget, path: readonly string[]): HdfGroup {
  // a node may have any name, __proto__ too
  const tree: Record<string, HdfEntry> = Object.create(null)
  for (const [name, found] of group) {
    if ('group' in found) tree[name] = readGroup(bytes, found, budget, [...path, name])
    else if ('unread' in found) tree[name] = found
    else tree[name] = readArray(bytes, found.address, budget, `HDF5: "${[...path, name].join('/')}"`)
  }
  return tree
}

function readArray(bytes: Uint8Array, address: number, budget: Budget, where: string): HdfEntry {
  try {
    return readDataset(bytes, address, budget, where)
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
    return { unread: error.message.replace(`${where}: `, '') }
  }
}

const START_TIMEOUT_MS = 120_000

async function start(): Promise<Worker> {
  // the program keeps what the library prints; nothing else is to reach the user's terminal
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
