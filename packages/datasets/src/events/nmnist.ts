/**
 * N-MNIST's and N-Caltech101's files: 40 bits per event, nothing else. Byte 0: x. Byte 1: y. Byte 2: the highest bit is the
 * polarity (1 = ON), the other seven bits and bytes 3 and 4 are the time in microseconds, big-endian: 23 bits, which wrap
 * after 8.39 s. An event with y = 240 is none: the ATIS writes it when its own 13-bit counter overflows; 8,192 us are added
 * to what follows. (G. Orchard, A. Jayawant, G. Cohen, N. Thakor, "Converting static image datasets to spiking neuromorphic
 * datasets using saccades", Frontiers in Neuroscience 9, 2015.) Compared with tonic's reader (io.py, read_mnist_file), which
 * follows that of the paper's authors: the same bits, the same 2^13 us per overflow.
 */
import { DatasetFormatError } from '../errors.ts'
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

/** Options of readers of N-MNIST's files. */
export interface NmnistOptions extends Partial<SensorSize>, BadRecordOptions {
  /** Most events per chunk; default 65,536. */
  readonly chunkEvents?: number
}

const EVENT_BYTES = 5
const TIME_BITS = 23
const OVERFLOW_ROW = 240
const OVERFLOW_US = 2 ** 13
/** The format has 8 bits for each coordinate. */
const MAX_SIDE = 256

/**
 * Reads N-MNIST's format as a stream. The file does not state the sensor's size: 34 x 34 unless told otherwise. A record
 * outside it, or a cut one at the end, is left out and counted in `bad`.
 * @throws DatasetFormatError while reading: more records outside the sensor than `maxBadShare`
 * @throws DatasetFileError while reading, when the path cannot be read
 * @example
 * ```ts
 * import { collectEvents, readNmnist } from '@he-ml/datasets'
 * const events = await collectEvents(readNmnist(Uint8Array.of(3, 33, 0x80, 1, 2)))
 * console.log(events.x[0], events.y[0], events.polarity[0], events.timestamp[0]) // 3 33 1 258
 * ```
 */
export function readNmnist(source: EventSource, options: NmnistOptions = {}): EventFile {
  const size = sensorOf(options)
  const { chunkEvents = DEFAULT_CHUNK_EVENTS } = options
  let bad = new RecordTally('N-MNIST', options)
  async function* read() {
    const tally = new RecordTally('N-MNIST', options)
    bad = tally
    const decoder = new NmnistDecoder(size, tally)
    const bytes = new ByteReader(source)
    try {
      for (;;) {
        const block = await bytes.read(chunkEvents * EVENT_BYTES)
        const events = decoder.decode(block)
        if (events.x.length > 0) yield events
        const isEnd = block.length < chunkEvents * EVENT_BYTES
        tally.judge(isEnd)
        if (isEnd) return
      }
    } finally {
      await bytes.close()
    }
  }
  return {
    ...size,
    get bad() {
      return bad
    },
    [Symbol.asyncIterator]: () => naming(source, read),
  }
}

/**
 * A whole N-MNIST recording from memory, at once. Nothing is left out: there is nobody to tell.
 * @throws DatasetFormatError for a record outside the sensor, or a cut one
 */
export function parseNmnist(bytes: Uint8Array, options: Partial<SensorSize> = {}): EventChunk {
  const tally = new RecordTally('N-MNIST', {})
  const events = new NmnistDecoder(sensorOf(options), tally).decode(bytes)
  if (tally.first !== undefined) throw new DatasetFormatError(`N-MNIST: ${tally.first}`)
  return events
}

/**
 * The bytes of an N-MNIST recording.
 * @param events times from 0, never falling, no gap of 2^22 us or more (a reader could not tell it from a wrap)
 * @throws DatasetFormatError when the format cannot hold the events
 */
export function encodeNmnist(events: EventChunk, options: Partial<SensorSize> = {}): Uint8Array {
  const size = sensorOf(options)
  checkEvents(events, size, 'N-MNIST')
  const count = events.x.length
  const bytes = new Uint8Array(count * EVENT_BYTES)
  let previous = 0
  for (let i = 0; i < count; i++) {
    const time = events.timestamp[i]!
    if (time < previous || time - previous >= 2 ** (TIME_BITS - 1))
      throw new DatasetFormatError(
        `N-MNIST: event ${i} is at ${time} us after one at ${previous} us: expected rising times from 0 with gaps below 2^22 us: sort and shift them, or write AEDAT 4`,
      )
    if (events.y[i] === OVERFLOW_ROW)
      throw new DatasetFormatError(
        `N-MNIST: event ${i} has y = 240, which the format uses for overflows: write AEDAT 4`,
      )
    previous = time
    const ticks = time % 2 ** TIME_BITS
    const at = i * EVENT_BYTES
    bytes[at] = events.x[i]!
    bytes[at + 1] = events.y[i]!
    bytes[at + 2] = ((events.polarity[i] ? 1 : 0) << 7) | (ticks >> 16)
    bytes[at + 3] = (ticks >> 8) & 255
    bytes[at + 4] = ticks & 255
  }
  return bytes
}

class NmnistDecoder {
  readonly #size: SensorSize
  readonly #tally: RecordTally
  readonly #clock = new Unwrapper(2 ** TIME_BITS)
  #overflows = 0
  #position = 0

  constructor(size: SensorSize, tally: RecordTally) {
    this.#size = size
    this.#tally = tally
  }

  /** The events of some records; bytes at the end that are no whole record are the file's last. */
  decode(bytes: Uint8Array): EventChunk {
    const { width, height } = this.#size
    const whole = bytes.length - (bytes.length % EVENT_BYTES)
    const events = createEventChunk(whole / EVENT_BYTES)
    let count = 0
    for (let at = 0; at < whole; at += EVENT_BYTES) {
      const [x, y, high] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!]
      const ticks = ((high & 127) << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!
      if (y === OVERFLOW_ROW) {
        this.#overflows++
        continue
      }
      if (x >= width || y >= height) {
        const byte = this.#position + at
        this.#tally.addOutside(
          () => `the record at byte ${byte} is at (${x}, ${y}), outside a sensor of ${width} x ${height}`,
        )
        continue
      }
      events.x[count] = x
      events.y[count] = y
      events.polarity[count] = high >> 7
      events.timestamp[count] = this.#clock.unwrap(ticks) + this.#overflows * OVERFLOW_US
      count++
    }
    this.#tally.addGood(count)
    if (whole < bytes.length) this.#tally.cutOff(bytes.length - whole, this.#position + whole)
    this.#position += bytes.length
    return sliceEvents(events, 0, count)
  }
}

function sensorOf({ width = 34, height = 34 }: Partial<SensorSize>): SensorSize {
  checkSize({ width, height }, MAX_SIDE, 'N-MNIST')
  return { width, height }
}
