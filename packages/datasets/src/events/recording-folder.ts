/**
 * Whole sets of simulated recordings in folders named like the originals: one folder per class, one file per image. A set says in
 * `simulation.json` how it was made, so that an interrupted run goes on where it stopped and never mixes two kinds.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetFormatError } from '../errors.ts'
import type { LabelledImages } from '../images.ts'
import type { EventChunk } from './event-chunk.ts'
import { ATIS_LIKE, DVS128_LIKE, simulateDvs, simulateNmnist } from './simulator/presets.ts'
import type { SensorModel } from './simulator/sensor.ts'
import { EVENT_FILE_ENDINGS, type EventFormat, writeRecording } from './write-recording.ts'

/** How far a set is; recordings that were there already count as done. */
export interface RecordingProgress {
  /** Recordings that the folder holds. */
  readonly done: number
  /** Recordings of the whole set. */
  readonly total: number
  /** Events written in this run. */
  readonly events: number
  /** Since this run began. */
  readonly seconds: number
}

/** Options of {@link writeRecordingSet}. */
export interface RecordingSetOptions {
  /** 'nmnist': three saccades over each image, 300 ms. 'dvs': each image in a loop, 1.2 s. */
  readonly kind: 'nmnist' | 'dvs'
  /** Default: 'nmnist' for that kind, 'aedat2' for 'dvs', as the originals have it. */
  readonly format?: EventFormat
  /** Default 0. Recording i depends on the seed, i and image i alone. */
  readonly seed?: number
  /** Parameters that differ from the preset's. */
  readonly sensor?: Partial<SensorModel>
  /** Called after every recording. */
  readonly onProgress?: (progress: RecordingProgress) => void
  /** Stops between two recordings; its reason is thrown. */
  readonly signal?: AbortSignal
}

const MANIFEST = 'simulation.json'
const VERSION = 1

/**
 * Makes a recording of every image: folder/<label>/<number of the image, five digits><ending>. Files that are there are kept, so
 * a run that was stopped is finished by the same call.
 * @returns how many recordings the folder holds
 * @throws DatasetFormatError when the folder was made from other images or with other options; the signal's reason; the file
 *   system's own errors
 * @example
 * ```ts no-run
 * const digits = await loadMnist('data/mnist', { split: 'train' })
 * await writeRecordingSet(digits, 'data/simulated-nmnist/Train', {
 *   kind: 'nmnist',
 *   onProgress: ({ done, total }) => console.log(`${done} of ${total}`),
 * })
 * ```
 */
export async function writeRecordingSet(
  images: LabelledImages,
  folder: string,
  options: RecordingSetOptions,
): Promise<number> {
  const { kind, seed = 0, onProgress, signal } = options
  if (kind !== 'nmnist' && kind !== 'dvs')
    throw new DatasetFormatError(`expected kind 'nmnist' or 'dvs', got ${JSON.stringify(kind)}`)
  const format = options.format ?? (kind === 'nmnist' ? 'nmnist' : 'aedat2')
  const sensor = { ...(kind === 'nmnist' ? ATIS_LIKE : DVS128_LIKE), ...options.sensor }
  await mkdir(folder, { recursive: true })
  await claim(folder, { version: VERSION, kind, format, seed, sensor, images: describe(images) })
  const there = new Set(await listRecordings(folder).then((all) => all.map((r) => r.path)))
  const start = performance.now()
  let [done, events] = [there.size, 0]
  for (let i = 0; i < images.count; i++) {
    const label = images.labels[i]!
    const path = join(folder, String(label), `${String(i + 1).padStart(5, '0')}${EVENT_FILE_ENDINGS[format]}`)
    if (there.has(path)) continue
    signal?.throwIfAborted()
    await mkdir(join(folder, String(label)), { recursive: true })
    const simulated =
      kind === 'nmnist' ? [simulateNmnist(images, i, { seed, sensor })] : simulateDvs(images, i, { seed, sensor })
    await writeRecording(
      path,
      format,
      sensor,
      counted(simulated, (count) => {
        events += count
      }),
    )
    done++
    onProgress?.({ done, total: images.count, events, seconds: (performance.now() - start) / 1000 })
  }
  return done
}

/** A file of a set and the class that its folder says. */
export interface RecordingFile {
  /** Path of the file, the folder of the set included. */
  readonly path: string
  /** The class: an integer from 0. */
  readonly label: number
}

/**
 * The recordings of a set in N-MNIST's arrangement, folder/<label>/<file>, real or simulated; by label, then by name.
 * @throws DatasetFormatError when the folder cannot be read
 */
export async function listRecordings(folder: string): Promise<RecordingFile[]> {
  const found: RecordingFile[] = []
  const labels = (await entries(folder)).filter((name) => /^\d{1,4}$/.test(name)).sort((a, b) => Number(a) - Number(b))
  for (const label of labels) {
    const names = (await entries(join(folder, label))).filter((name) => /\.(bin|aedat|aedat4)$/.test(name)).sort()
    for (const name of names) found.push({ path: join(folder, label, name), label: Number(label) })
  }
  return found
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw new DatasetFormatError(`cannot read the folder ${folder}: give one that holds <label>/<recording>`, { cause })
  }
}

/** Writes the manifest, or finds it equal. */
async function claim(folder: string, manifest: object): Promise<void> {
  const path = join(folder, MANIFEST)
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  try {
    await writeFile(path, text, { flag: 'wx' })
    return
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  if ((await readFile(path, 'utf8')) !== text)
    throw new DatasetFormatError(
      `${folder} holds recordings of other images or other options (see ${MANIFEST}): give an empty folder, or the same options`,
    )
  for (const label of await entries(folder))
    if (/^\d{1,4}$/.test(label))
      for (const name of await entries(join(folder, label)))
        if (name.endsWith('.partial')) await rm(join(folder, label, name), { force: true })
}

/** What tells one set of images from another: its shape and a checksum (FNV-1a) of pixels and labels. */
function describe(images: LabelledImages) {
  let hash = 0x811c9dc5
  for (const bytes of [images.pixels, images.labels])
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return { count: images.count, shape: images.shape, checksum: (hash >>> 0).toString(16).padStart(8, '0') }
}

function* counted(chunks: Iterable<EventChunk>, add: (count: number) => void): Generator<EventChunk> {
  for (const chunk of chunks) {
    add(chunk.x.length)
    yield chunk
  }
}
