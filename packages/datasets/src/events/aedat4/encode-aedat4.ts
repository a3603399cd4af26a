/** AEDAT 4.0, written. */
import { DatasetFormatError } from '../../errors.ts'
import { checkEvents, checkSize, type EventChunk, type SensorSize, sliceEvents } from '../event-chunk.ts'
import { eventStreamInfo } from './info-node.ts'
import { lz4Compress } from './lz4-compress.ts'
import { AEDAT4_MAGIC } from './read-aedat4.ts'
import { encodeEventPacket, encodeIoHeader, encodePacketTable, type PacketEntry } from './schema.ts'

/** Options of writers of AEDAT 4. */
export interface Aedat4WriteOptions {
  /** Default 'none'. (zstd is read, not written.) */
  readonly compression?: 'none' | 'lz4'
  /** What made the events, as the header's "source"; letters, digits, space, _ . - only. Default 'simulation'. */
  readonly source?: string
}

/** Most events in a packet: 1 MiB. */
const PACKET_EVENTS = 65_536

/**
 * The bytes of an AEDAT 4.0 recording with one stream of events and a table of its packets.
 * @throws DatasetFormatError for events outside the sensor, or sides above 32,767
 */
export function encodeAedat4(
  size: SensorSize,
  chunks: Iterable<EventChunk>,
  options: Aedat4WriteOptions = {},
): Uint8Array {
  const encoder = new Aedat4Encoder(size, options)
  const parts = [encoder.header(-1)]
  for (const chunk of chunks) parts.push(...encoder.packets(chunk))
  const position = encoder.position
  parts.push(encoder.table())
  parts[0] = encoder.header(position)
  const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Piece by piece: {@link encodeAedat4} and the writer of files share it. The header has the same length for every position. */
export class Aedat4Encoder {
  readonly #size: SensorSize
  readonly #compression: 'none' | 'lz4'
  readonly #info: string
  readonly #entries: PacketEntry[] = []
  /** Bytes so far, the header included. */
  position: number

  constructor(size: SensorSize, { compression = 'none', source = 'simulation' }: Aedat4WriteOptions = {}) {
    checkSize(size, 32_767, 'AEDAT 4')
    if (compression !== 'none' && compression !== 'lz4')
      throw new DatasetFormatError(`AEDAT 4: expected compression 'none' or 'lz4', got '${compression}'`)
    if (!/^[\w .-]{0,100}$/.test(source))
      throw new DatasetFormatError('AEDAT 4: expected a source of up to 100 letters, digits, spaces, _ . -')
    this.#size = size
    this.#compression = compression
    this.#info = eventStreamInfo(size, compression.toUpperCase(), source)
    this.position = this.header(-1).length
  }

  /** @param dataTablePosition where the table of packets begins; -1 while that is not known */
  header(dataTablePosition: number): Uint8Array {
    const magic = new TextEncoder().encode(AEDAT4_MAGIC)
    const header = encodeIoHeader({ compression: this.#compression, dataTablePosition, infoNode: this.#info })
    const bytes = new Uint8Array(magic.length + header.length)
    bytes.set(magic)
    bytes.set(header, magic.length)
    return bytes
  }

  packets(events: EventChunk): Uint8Array[] {
    checkEvents(events, this.#size, 'AEDAT 4')
    const parts: Uint8Array[] = []
    for (let at = 0; at < events.x.length; at += PACKET_EVENTS)
      parts.push(this.#packet(sliceEvents(events, at, at + PACKET_EVENTS)))
    return parts
  }

  /** The table of all packets so far, which ends the file. */
  table(): Uint8Array {
    return this.#compressed(encodePacketTable(this.#entries))
  }

  #packet(events: EventChunk): Uint8Array {
    const body = this.#compressed(encodeEventPacket(events))
    const bytes = new Uint8Array(8 + body.length)
    const view = new DataView(bytes.buffer)
    view.setInt32(0, 0, true)
    view.setInt32(4, body.length, true)
    bytes.set(body, 8)
    const count = events.x.length
    this.#entries.push({
      // where the packet's body begins
      byteOffset: this.position + 8,
      streamId: 0,
      size: body.length,
      count,
      first: events.timestamp[0]!,
      last: events.timestamp[count - 1]!,
    })
    this.position += bytes.length
    return bytes
  }

  #compressed(bytes: Uint8Array): Uint8Array {
    return this.#compression === 'lz4' ? lz4Compress(bytes) : bytes
  }
}
