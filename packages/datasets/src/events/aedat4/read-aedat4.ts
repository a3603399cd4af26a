/**
 * AEDAT 4.0, iniVation's DV format: the line "#!AER-DAT4.0\r\n", a header (FlatBuffer IOHE), then packets: stream number and size
 * (32 bits each, little-endian) and so many bytes, compressed as the header says, that hold one FlatBuffer; at the end a table of
 * the packets. Events are read in one pass, so the table is used for nothing but the place where packets end.
 */
import { DatasetFormatError } from '../../errors.ts'
import { ByteReader } from '../byte-reader.ts'
import { checkSize, DEFAULT_CHUNK_EVENTS, type EventRecording, type EventSource, sliceEvents } from '../event-chunk.ts'
import { parseInfoNode, type StreamInfo } from './info-node.ts'
import { lz4Decompress } from './lz4.ts'
import { type Compression, type IoHeader, parseEventPacket, parseIoHeader } from './schema.ts'
import { zstdDecompress } from './zstd.ts'

export interface Aedat4Options {
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
 * be read more than once.
 * @throws DatasetFormatError here or while reading: no AEDAT 4, no such stream, damaged packets, an event outside the sensor
 * @example
 * ```ts
 * import { collectEvents, encodeAedat4, parseNmnist, readAedat4 } from '@he-ml/datasets'
 * const events = parseNmnist(Uint8Array.of(3, 33, 0x80, 1, 2))
 * const file = encodeAedat4({ width: 34, height: 34 }, [events], { compression: 'lz4' })
 * const recording = await readAedat4(file)
 * console.log(recording.width, (await collectEvents(recording)).timestamp[0]) // 34 258
 * ```
 */
export async function readAedat4(source: EventSource, options: Aedat4Options = {}): Promise<EventRecording> {
  const { chunkEvents = DEFAULT_CHUNK_EVENTS, maxPacketBytes = 2 ** 26 } = options
  const bytes = new ByteReader(source)
  let opened: OpenedFile | undefined
  try {
    opened = await open(bytes, options.stream)
  } finally {
    if (!opened || isRepeatable(source)) await bytes.close()
  }
  const { width, height } = opened.stream
  let unread: ByteReader | undefined = isRepeatable(source) ? undefined : bytes
  return {
    width,
    height,
    async *[Symbol.asyncIterator]() {
      if (!unread && !isRepeatable(source))
        throw new DatasetFormatError('AEDAT 4: pieces of bytes can be read once: give a path or bytes')
      const reader = unread ?? new ByteReader(source)
      try {
        const { header, stream, types } = unread ? opened : await open(reader, options.stream)
        unread = undefined
        for await (const packet of packets(reader, header, stream.id, types, maxPacketBytes)) {
          const events = parseEventPacket(packet, stream)
          for (let at = 0; at < events.x.length; at += chunkEvents)
            yield sliceEvents(events, at, Math.min(events.x.length, at + chunkEvents))
        }
      } finally {
        await reader.close()
      }
    },
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
    throw new DatasetFormatError(`AEDAT 4: expected "#!AER-DAT4.0" at the start, got ${JSON.stringify(magic.trim())}`)
  const prefix = await bytes.peek(4)
  const size = prefix.length < 4 ? 0 : new DataView(prefix.buffer, prefix.byteOffset).getUint32(0, true)
  if (size < 8 || size > MAX_HEADER)
    throw new DatasetFormatError(`AEDAT 4: expected a header of 8 to ${MAX_HEADER} bytes, got ${size}`)
  const header = parseIoHeader(await bytes.readExactly(4 + size, 'AEDAT 4: header'))
  const streams = parseInfoNode(header.infoNode)
  const stream = streams.find((s) => s.type === 'EVTS' && (wanted === undefined || s.id === wanted))
  if (!stream) {
    const found = streams.map((s) => `${s.id} (${JSON.stringify(s.type.slice(0, 8))})`).join(', ')
    throw new DatasetFormatError(
      `AEDAT 4: ${wanted === undefined ? 'no stream' : `stream ${wanted}`} holds events; there are ${found}`,
    )
  }
  checkSize(stream, 32_767, 'AEDAT 4')
  return { header, stream, types: new Map(streams.map((s) => [s.id, s.type])) }
}

async function* packets(
  bytes: ByteReader,
  header: IoHeader,
  wanted: number,
  types: ReadonlyMap<number, string>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  const end = header.dataTablePosition < 0 ? Number.POSITIVE_INFINITY : header.dataTablePosition
  while (bytes.position < end) {
    const at = bytes.position
    const head = await bytes.read(8)
    if (head.length === 0 && end === Number.POSITIVE_INFINITY) return
    if (head.length < 8) throw new DatasetFormatError(`AEDAT 4: the file ends at byte ${bytes.position}: cut off`)
    const view = new DataView(head.buffer, head.byteOffset, 8)
    const [id, size] = [view.getInt32(0, true), view.getInt32(4, true)]
    if (!types.has(id))
      throw new DatasetFormatError(
        `AEDAT 4: the packet at byte ${at} is of stream ${id}, which the header does not have`,
      )
    if (size < 0 || size > limit)
      throw new DatasetFormatError(`AEDAT 4: the packet at byte ${at} has ${size} bytes: expected 0 to ${limit}`)
    if (id !== wanted) {
      if ((await bytes.skip(size)) < size)
        throw new DatasetFormatError(`AEDAT 4: the file ends in the packet at byte ${at}: cut off`)
      continue
    }
    yield decompressed(await bytes.readExactly(size, 'AEDAT 4: packet'), header.compression, limit)
  }
}

/** @throws DatasetFormatError for broken data or more than `limit` bytes */
function decompressed(bytes: Uint8Array, compression: Compression, limit: number): Uint8Array {
  if (compression === 'none') return bytes
  return compression.startsWith('lz4') ? lz4Decompress(bytes, limit) : zstdDecompress(bytes, limit)
}
