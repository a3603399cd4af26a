/**
 * AEDAT 4.0, iniVation's DV format: the line "#!AER-DAT4.0\r\n", a header (FlatBuffer IOHE), then packets: stream number and size
 * (32 bits each, little-endian) and so many bytes, compressed as the header says, that hold one FlatBuffer; at the end a table of
 * the packets. Events are read in one pass, so the table is used for nothing but the place where packets end.
 */
import { DatasetFormatError, DatasetUnsupportedError } from '../../errors.ts'
import { namedFailure } from '../../named-failure.ts'
import { type BadRecordOptions, RecordTally } from '../bad-records.ts'
import { ByteReader, naming } from '../byte-reader.ts'
import { checkSize, DEFAULT_CHUNK_EVENTS, type EventFile, type EventSource, sliceEvents } from '../event-chunk.ts'
import { parseInfoNode, type StreamInfo } from './info-node.ts'
import { lz4Decompress } from './lz4.ts'
import { type Compression, type IoHeader, parseEventPacket, parseIoHeader } from './schema.ts'
import { zstdDecompress } from './zstd.ts'

/** Options of readers of AEDAT 4. */
export interface Aedat4Options extends BadRecordOptions {
  /** Number of the stream to read; default: the first that holds events. */
  readonly stream?: number
  /** Most events per chunk; default 65,536. A packet that has more comes in several. */
  readonly chunkEvents?: number
  /** Largest packet accepted, after decompression; default 64 MiB. Cameras write packets of some 10 ms. */
  readonly maxPacketBytes?: number
}

export const AEDAT4_MAGIC = '#!AER-DAT4.0\r\n'
const MAX_HEADER = 2 ** 24

/**
 * Opens an AEDAT 4.0 recording: reads its header, and its events while they are asked for. The source must be a path or bytes to
 * be read more than once. An event outside the sensor, or a cut packet at the end, is left out and counted in `bad`; a packet that
 * is damaged otherwise ends the reading. Checksums are verified where the compression has them.
 * @throws DatasetFormatError here or while reading: no AEDAT 4, damaged packets, more events outside the sensor than `maxBadShare`
 * @throws DatasetUnsupportedError here or while reading: another version, no such stream, more than a limit allows
 * @throws DatasetFileError here or while reading, when the path cannot be read
 * @example
 * ```ts
 * import { collectEvents, encodeAedat4, parseNmnist, readAedat4 } from '@he-ml/datasets'
 * const events = parseNmnist(Uint8Array.of(3, 33, 0x80, 1, 2))
 * const file = encodeAedat4({ width: 34, height: 34 }, [events], { compression: 'lz4' })
 * const recording = await readAedat4(file)
 * console.log(recording.width, (await collectEvents(recording)).timestamp[0]) // 34 258
 * ```
 */
export async function readAedat4(source: EventSource, options: Aedat4Options = {}): Promise<EventFile> {
  const { chunkEvents = DEFAULT_CHUNK_EVENTS, maxPacketBytes = 2 ** 26 } = options
  let bad = new RecordTally('AEDAT 4', options)
  const bytes = new ByteReader(source)
  const opened = await openFirst(bytes, source, options.stream)
  const { width, height } = opened.stream
  let unread: ByteReader | undefined = isRepeatable(source) ? undefined : bytes
  async function* read() {
    if (!unread && !isRepeatable(source))
      throw new DatasetFormatError('AEDAT 4: pieces of bytes can be read once: give a path or bytes')
    const tally = new RecordTally('AEDAT 4', options)
    bad = tally
    const reader = unread ?? new ByteReader(source)
    try {
      const file = unread ? opened : await open(reader, options.stream)
      unread = undefined
      for await (const { at, body } of packets(reader, file, maxPacketBytes, tally)) {
        const events = inPacket(at, () =>
          parseEventPacket(decompressed(body, file.header.compression, maxPacketBytes), file.stream, tally, at),
        )
        for (let i = 0; i < events.x.length; i += chunkEvents)
          yield sliceEvents(events, i, Math.min(events.x.length, i + chunkEvents))
        tally.judge(false)
      }
      tally.judge(true)
    } finally {
      await reader.close()
    }
  }
  return {
    width,
    height,
    get bad() {
      return bad
    },
    [Symbol.asyncIterator]: () => naming(source, read),
  }
}

/** Reads the header; pieces that can be read once stay open behind it. */
async function openFirst(bytes: ByteReader, source: EventSource, stream: number | undefined): Promise<OpenedFile> {
  let opened: OpenedFile | undefined
  try {
    opened = await open(bytes, stream)
    return opened
  } catch (error) {
    throw namedFailure(source, error)
  } finally {
    if (!opened || isRepeatable(source)) await bytes.close()
  }
}

interface OpenedFile {
  readonly header: IoHeader
  readonly stream: StreamInfo
  readonly types: ReadonlyMap<number, string>
}

const isRepeatable = (source: EventSource) => typeof source === 'string' || source instanceof Uint8Array

async function open(bytes: ByteReader, wanted: number | undefined): Promise<OpenedFile> {
  const magic = new TextDecoder('latin1').decode(await bytes.read(AEDAT4_MAGIC.length))
  if (magic !== AEDAT4_MAGIC)
    throw new (/^#!AER-DAT\d/.test(magic) ? DatasetUnsupportedError : DatasetFormatError)(
      `AEDAT 4: expected "#!AER-DAT4.0" at the start, got ${JSON.stringify(magic.trim())}`,
    )
  const prefix = await bytes.peek(4)
  const size = prefix.length < 4 ? 0 : new DataView(prefix.buffer, prefix.byteOffset).getUint32(0, true)
  if (size < 8 || size > MAX_HEADER)
    throw new DatasetFormatError(`AEDAT 4: expected a header of 8 to ${MAX_HEADER} bytes, got ${size}`)
  const header = parseIoHeader(await bytes.readExactly(4 + size, 'AEDAT 4: header'))
  const streams = parseInfoNode(header.infoNode)
  const stream = streams.find((s) => s.type === 'EVTS' && (wanted === undefined || s.id === wanted))
  if (!stream) {
    const found = streams.map((s) => `${s.id} (${JSON.stringify(s.type.slice(0, 8))})`).join(', ')
    throw new DatasetUnsupportedError(
      `AEDAT 4: ${wanted === undefined ? 'no stream' : `stream ${wanted}`} holds events; there are ${found}`,
    )
  }
  checkSize(stream, 32_767, 'AEDAT 4')
  return { header, stream, types: new Map(streams.map((s) => [s.id, s.type])) }
}

/** A packet of the wanted stream as it lies in the file. */
interface Packet {
  readonly at: number
  readonly body: Uint8Array
}

async function* packets(
  bytes: ByteReader,
  { header, stream, types }: OpenedFile,
  limit: number,
  tally: RecordTally,
): AsyncGenerator<Packet> {
  const end = header.dataTablePosition < 0 ? Number.POSITIVE_INFINITY : header.dataTablePosition
  while (bytes.position < end) {
    const at = bytes.position
    const head = await bytes.read(8)
    if (head.length < 8) {
      if (head.length > 0 || end !== Number.POSITIVE_INFINITY) tally.cutOff(head.length, at, 'packet')
      return
    }
    const view = new DataView(head.buffer, head.byteOffset, 8)
    const [id, size] = [view.getInt32(0, true), view.getInt32(4, true)]
    checkPacket(at, id, size, end, limit, types)
    if (id !== stream.id) {
      const passed = await bytes.skip(size)
      if (passed < size) return tally.cutOff(8 + passed, at, 'packet')
      continue
    }
    const body = await bytes.read(size)
    if (body.length < size) return tally.cutOff(8 + body.length, at, 'packet')
    yield { at, body }
  }
}

function checkPacket(
  at: number,
  id: number,
  size: number,
  end: number,
  limit: number,
  types: ReadonlyMap<number, string>,
): void {
  if (!types.has(id))
    throw new DatasetFormatError(`AEDAT 4: the packet at byte ${at} is of stream ${id}, which the header does not have`)
  if (size < 0) throw new DatasetFormatError(`AEDAT 4: the packet at byte ${at} has ${size} bytes`)
  if (at + 8 + size > end)
    throw new DatasetFormatError(
      `AEDAT 4: the packet at byte ${at} has ${size} bytes, beyond the table of packets at byte ${end}`,
    )
  if (size > limit)
    throw new DatasetUnsupportedError(
      `AEDAT 4: the packet at byte ${at} has ${size} bytes: expected 0 to ${limit}: raise maxPacketBytes`,
    )
}

/** Says of failures in which packet they came up. */
function inPacket<T>(at: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw namedFailure(`the packet at byte ${at}`, error)
  }
}

/** @throws DatasetFormatError for broken data; DatasetUnsupportedError for more than `limit` bytes */
function decompressed(bytes: Uint8Array, compression: Compression, limit: number): Uint8Array {
  if (compression === 'none') return bytes
  return compression.startsWith('lz4') ? lz4Decompress(bytes, limit) : zstdDecompress(bytes, limit)
}
