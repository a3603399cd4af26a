/**
 * Recordings on disk: eight letters, the length of a header, a header in JSON that says all that made them, one byte per count.
 * A file is taken only if its header is the expected one, letter for letter, and its bytes have the hash that it names.
 */
import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { AtomicFile } from '@he-ml/ckks-core/node'
import { ATIS_LIKE, type LabelledImages } from '@he-ml/datasets'
import { RECORDING_US, record } from './record.ts'
import { MOST_EVENTS, RECORDING_SHAPE } from './recordings.ts'

const MAGIC = 'HEMLFRMS'
/** Longest header that is read. */
const MOST_HEADER = 65_536
const HASH_LENGTH = 32

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Everything that recordings follow from, as text: equal texts, equal recordings. */
export function describeRecordings(images: LabelledImages, timeSteps: number, seed: number, count: number): string {
  const size = images.shape[0] * images.shape[1] * images.shape[2]
  return JSON.stringify({
    format: 'he-ml-event-frames',
    version: 1,
    count,
    timeSteps,
    shape: RECORDING_SHAPE,
    durationUs: RECORDING_US,
    mostEvents: MOST_EVENTS,
    seed,
    sensor: ATIS_LIKE,
    images: sha256(images.pixels.subarray(0, count * size)).toString('hex'),
    labels: sha256(images.labels.subarray(0, count)).toString('hex'),
    // a changed simulator gives another first recording
    first: sha256(record(images, 0, timeSteps, seed)).toString('hex'),
  })
}

/** Where recordings of this description are kept. */
export function cachePath(folder: string, description: string): string {
  const { timeSteps, count } = JSON.parse(description) as { timeSteps: number; count: number }
  const key = sha256(Buffer.from(description)).toString('hex').slice(0, 12)
  return join(folder, `simulated-nmnist-t${timeSteps}-${count}-${key}.frames`)
}

/** Writes the file whole or not at all. */
export async function writeRecordings(path: string, description: string, counts: Uint8Array): Promise<void> {
  const header = Buffer.from(description)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.length)
  await mkdir(join(path, '..'), { recursive: true })
  await using file = await AtomicFile.create(path)
  for (const part of [Buffer.from(MAGIC), length, header, sha256(header, counts), counts]) await file.write(part)
  await file.commit()
}

/** What a look into the cache gives: recordings, or why there are none; `problem` is undefined where there is no file. */
export type CachedRecordings = { readonly counts: Uint8Array } | { readonly problem: string | undefined }

/** @throws the file system's errors, but for a file that does not exist */
export async function readRecordings(path: string, description: string, bytes: number): Promise<CachedRecordings> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!handle) return { problem: undefined }
  try {
    const start = Buffer.alloc(MAGIC.length + 4)
    await handle.read(start, 0, start.length, 0)
    if (start.toString('latin1', 0, MAGIC.length) !== MAGIC) return { problem: 'it does not hold recordings' }
    const headerLength = start.readUInt32LE(MAGIC.length)
    if (headerLength > MOST_HEADER) return { problem: `its header has ${headerLength} bytes` }
    const rest = Buffer.alloc(headerLength + HASH_LENGTH)
    await handle.read(rest, 0, rest.length, start.length)
    const header = rest.subarray(0, headerLength)
    if (header.toString() !== description) return { problem: 'its recordings were made in another way' }
    const { size } = await handle.stat()
    const expected = start.length + rest.length + bytes
    if (size !== expected) return { problem: `it has ${size} bytes instead of ${expected}` }
    const counts = new Uint8Array(bytes)
    await readFully(handle, counts, start.length + rest.length)
    if (!sha256(header, counts).equals(rest.subarray(headerLength))) return { problem: 'its hash is wrong' }
    return { counts }
  } finally {
    await handle.close()
  }
}

/** Reads until `bytes` is full or the file ends; one read gives at most 2 GiB. */
async function readFully(handle: Awaited<ReturnType<typeof open>>, bytes: Uint8Array, from: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 2 ** 28), from + at)
    if (bytesRead === 0) return
    at += bytesRead
  }
}
