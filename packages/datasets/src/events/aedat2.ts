/**
 * AEDAT 2.0, jAER's format: header lines that begin with '#' (see aedat2-header.ts), then 8 bytes per event: a 32-bit address
 * and a 32-bit time in microseconds, both big-endian; the time wraps after 71.6 minutes. What an address means depends on the
 * camera, and the file does not say which one in any fixed way: it is the reader's option.
 */
import { DatasetFormatError, DatasetUnsupportedError } from '../errors.ts'
import { AEDAT2_MAGIC, readAedat2Header } from './aedat2-header.ts'
import { type AddressLayout, DVS128_LAYOUT } from './aedat2-layouts.ts'
import { type BadRecordOptions, RecordTally } from './bad-records.ts'
import { ByteReader, naming } from './byte-reader.ts'
import {
  checkEvents,
  checkSize,
  createEventChunk,
  DEFAULT_CHUNK_EVENTS,
  type EventChunk,
  type EventFile,
  type EventSource,
  type SensorSize,
  sliceEvents,
} from './event-chunk.ts'
import { Unwrapper } from './unwrapper.ts'

/** Options of readers of AEDAT 2.0. */
export interface Aedat2Options extends BadRecordOptions {
  /** What the address bits mean; default: the DVS128's, as CIFAR10-DVS has them, unless the header names a DAVIS. */
  readonly layout?: AddressLayout
  /** Most events per chunk; default 65,536. */
  readonly chunkEvents?: number
}

const EVENT_BYTES = 8

/**
 * Reads AEDAT 2.0 (and 2.1, whose records are the same) as a stream; addresses that are no pixel events (frames, IMU samples,
 * triggers) are left out. A record outside the sensor, or a cut one at the end, is left out too and counted in `bad`.
 * @throws DatasetFormatError while reading: no AEDAT, or more records outside the sensor than `maxBadShare`
 * @throws DatasetUnsupportedError while reading: another version of AEDAT, or a header that names a DAVIS when no layout is given
 * @throws DatasetFileError while reading, when the path cannot be read
 * @example
 * ```ts
 * import { collectEvents, encodeAedat2, parseNmnist, readAedat2 } from '@he-ml/datasets'
 * const file = encodeAedat2(parseNmnist(Uint8Array.of(3, 33, 0x80, 1, 2)))
 * console.log((await collectEvents(readAedat2(file))).timestamp[0]) // 258
 * ```
 */
export function readAedat2(source: EventSource, options: Aedat2Options = {}): EventFile {
  const { layout = DVS128_LAYOUT, chunkEvents = DEFAULT_CHUNK_EVENTS } = options
  checkSize(layout, 65_536, 'AEDAT 2.0')
  let bad = new RecordTally('AEDAT 2.0', options)
  async function* read() {
    const tally = new RecordTally('AEDAT 2.0', options)
    bad = tally
    const bytes = new ByteReader(source)
    const decoder = new Decoder(layout, tally)
    try {
      const { chip } = await readAedat2Header(bytes)
      if (!options.layout) requireNoDavis(chip)
      for (;;) {
        const at = bytes.position
        const block = await bytes.read(chunkEvents * EVENT_BYTES)
        yield* decoder.decode(block, at)
        if (block.length < chunkEvents * EVENT_BYTES) return tally.judge(true)
      }
    } finally {
      await bytes.close()
    }
  }
  return {
    width: layout.width,
    height: layout.height,
    get bad() {
      return bad
    },
    [Symbol.asyncIterator]: () => naming(source, read),
  }
}

/** A DAVIS' addresses read as a DVS128's would be noise. */
function requireNoDavis(chip: string | undefined): void {
  if (chip !== undefined && /davi/i.test(chip))
    throw new DatasetUnsupportedError(
      `AEDAT 2.0: the header names the camera ${JSON.stringify(chip.slice(0, 80))}, the default layout is a DVS128's: give a layout (DAVIS240_LAYOUT, DAVIS346_LAYOUT, davisLayout)`,
    )
}

/** Blocks of records, in order; a block that is not full is the last one. */
class Decoder {
  readonly #layout: AddressLayout
  readonly #tally: RecordTally
  readonly #clock = new Unwrapper(2 ** 32)

  constructor(layout: AddressLayout, tally: RecordTally) {
    this.#layout = layout
    this.#tally = tally
  }

  /** Its events; judges the records of this block after they have been taken. @param start the block's place in the file */
  *decode(bytes: Uint8Array, start: number): Generator<EventChunk> {
    const layout = this.#layout
    const whole = bytes.length - (bytes.length % EVENT_BYTES)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const events = createEventChunk(whole / EVENT_BYTES)
    let count = 0
    for (let at = 0; at < whole; at += EVENT_BYTES) {
      const address = view.getUint32(at)
      const event = layout.decode(address)
      if (event && (event.x >= layout.width || event.y >= layout.height || event.x < 0 || event.y < 0)) {
        // its time is not to be trusted either
        this.#tally.addOutside(
          () =>
            `the address 0x${address.toString(16)} at byte ${start + at} is outside a ${layout.name} (${layout.width} x ${layout.height})`,
        )
        continue
      }
      const time = this.#clock.unwrap(view.getUint32(at + 4))
      if (!event) continue
      events.x[count] = event.x
      events.y[count] = event.y
      events.polarity[count] = event.polarity
      events.timestamp[count] = time
      count++
    }
    this.#tally.addGood(count)
    if (whole < bytes.length) this.#tally.cutOff(bytes.length - whole, start + whole)
    if (count > 0) yield sliceEvents(events, 0, count)
    this.#tally.judge(false)
  }
}

/** Options of writers of AEDAT 2.0. */
export interface Aedat2WriteOptions {
  /** What the address bits mean; default: the DVS128's. */
  readonly layout?: AddressLayout
  /** Header lines without '#', after the first; printable ASCII. */
  readonly comments?: readonly string[]
}

/**
 * The bytes of an AEDAT 2.0 recording.
 * @param events times from 0, never falling, no gap of 2^31 us or more
 * @throws DatasetFormatError when the format or the camera cannot hold the events
 */
export function encodeAedat2(events: EventChunk, options: Aedat2WriteOptions = {}): Uint8Array {
  const writer = new Aedat2Encoder(options)
  const header = writer.header()
  const body = writer.events(events)
  const bytes = new Uint8Array(header.length + body.length)
  bytes.set(header)
  bytes.set(body, header.length)
  return bytes
}

/** Piece by piece: {@link encodeAedat2} and the writer of files share it. */
export class Aedat2Encoder {
  readonly #layout: AddressLayout
  readonly #comments: readonly string[]
  #previous = 0

  constructor({ layout = DVS128_LAYOUT, comments = [] }: Aedat2WriteOptions = {}) {
    for (const line of comments)
      if (!/^[\x20-\x7e]*$/.test(line) || line.length > 1000)
        throw new DatasetFormatError('AEDAT 2.0: expected comments of up to 1,000 printable ASCII characters')
    this.#layout = layout
    this.#comments = comments
  }

  /** The camera's. */
  get size(): SensorSize {
    return this.#layout
  }

  header(): Uint8Array {
    const lines = [AEDAT2_MAGIC, ...[`AEChip: ${this.#layout.chip}`, ...this.#comments].map((line) => `# ${line}`)]
    return new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(''))
  }

  events(events: EventChunk): Uint8Array {
    checkEvents(events, this.#layout, 'AEDAT 2.0')
    const bytes = new Uint8Array(events.x.length * EVENT_BYTES)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < events.x.length; i++) {
      const time = events.timestamp[i]!
      if (time < this.#previous || time - this.#previous >= 2 ** 31)
        throw new DatasetFormatError(
          `AEDAT 2.0: event ${i} is at ${time} us after one at ${this.#previous} us: expected rising times from 0 with gaps below 2^31 us: sort and shift them, or write AEDAT 4`,
        )
      this.#previous = time
      const polarity = events.polarity[i] ? 1 : 0
      view.setUint32(i * EVENT_BYTES, this.#layout.encode({ x: events.x[i]!, y: events.y[i]!, polarity }) >>> 0)
      view.setUint32(i * EVENT_BYTES + 4, time % 2 ** 32)
    }
    return bytes
  }
}
