/**
 * The three FlatBuffers of AEDAT 4 that matter here, written with a fixed layout and read with checks. In schema language:
 *
 * - IOHE: table { compression: int32; dataTablePosition: int64 = -1; infoNode: string }
 * - EVTS: table { elements: [struct { timestamp: int64; x: int16; y: int16; polarity: bool }] }, 16 bytes each
 * - FTAB: table { table: [table { byteOffset: int64; packetInfo: struct { streamId, size: int32 }; numElements: int64;
 *   timestampStart: int64; timestampEnd: int64 }] }
 *
 * Fields, their order, defaults and identifiers compared with the schemas and the generated code of faery (src/aedat:
 * io_header.fbs, file_data_table.fbs, events_generated.rs), which reads and writes iniVation's files: times first, then x, y,
 * and whether ON.
 */
import { DatasetUnsupportedError } from '../../errors.ts'
import type { RecordTally } from '../bad-records.ts'
import { createEventChunk, type EventChunk, type SensorSize, sliceEvents } from '../event-chunk.ts'
import { FlatBuffer } from './flat-table.ts'

/** How packets are compressed, by their number in the file. */
export const COMPRESSIONS = ['none', 'lz4', 'lz4-high', 'zstd', 'zstd-high'] as const
export type Compression = (typeof COMPRESSIONS)[number]

export interface IoHeader {
  readonly compression: Compression
  /** Byte at which packets end and the table of packets begins; -1 when there is none. */
  readonly dataTablePosition: number
  /** XML that describes the streams. */
  readonly infoNode: string
}

/** One packet as the table of packets has it. */
export interface PacketEntry {
  readonly byteOffset: number
  readonly streamId: number
  readonly size: number
  readonly count: number
  readonly first: number
  readonly last: number
}

const EVENT_BYTES = 16

export function parseIoHeader(bytes: Uint8Array): IoHeader {
  const table = new FlatBuffer(bytes, 'IOHE', 'header').root
  const number = table.int32(0) ?? 0
  const compression = COMPRESSIONS[number]
  if (!compression)
    throw new DatasetUnsupportedError(`AEDAT 4: header: expected compression 0 to 4, got ${number}: not a known one`)
  return { compression, dataTablePosition: table.int64(1) ?? -1, infoNode: table.string(2) ?? '' }
}

export function encodeIoHeader({ compression, dataTablePosition, infoNode }: IoHeader): Uint8Array {
  const text = new TextEncoder().encode(infoNode)
  const layout = new Layout(48 + text.length + 1, 'IOHE')
  const { view } = layout
  layout.fields(12, [20, 4, 8, 16])
  layout.root(24, 12)
  view.setInt32(28, COMPRESSIONS.indexOf(compression), true)
  view.setBigInt64(32, BigInt(dataTablePosition), true)
  layout.offset(40, 44)
  view.setUint32(44, text.length, true)
  layout.bytes.set(text, 48)
  return layout.bytes
}

/**
 * The events of a packet; those outside the sensor are left out and counted.
 * @param at the packet's place in the file
 * @throws DatasetFormatError when the packet is broken
 */
export function parseEventPacket(bytes: Uint8Array, size: SensorSize, tally: RecordTally, at = 0): EventChunk {
  const buffer = new FlatBuffer(bytes, 'EVTS', 'event packet')
  const elements = buffer.root.vector(0, EVENT_BYTES)
  if (!elements) return createEventChunk(0)
  const { view } = buffer
  const events = createEventChunk(elements.length)
  let count = 0
  for (let i = 0; i < elements.length; i++) {
    const from = elements.at + i * EVENT_BYTES
    const [x, y] = [view.getInt16(from + 8, true), view.getInt16(from + 10, true)]
    const time = view.getInt32(from + 4, true) * 2 ** 32 + view.getUint32(from, true)
    const isOutside = x < 0 || y < 0 || x >= size.width || y >= size.height
    if (isOutside || !Number.isSafeInteger(time)) {
      const wrong = isOutside
        ? `is at (${x}, ${y}), outside a sensor of ${size.width} x ${size.height}`
        : 'has a time beyond 2^53 us'
      tally.addOutside(() => `event ${i} of the packet at byte ${at} ${wrong}`)
      continue
    }
    events.timestamp[count] = time
    events.x[count] = x
    events.y[count] = y
    events.polarity[count] = view.getUint8(from + 12) === 0 ? 0 : 1
    count++
  }
  tally.addGood(count)
  return sliceEvents(events, 0, count)
}

export function encodeEventPacket(events: EventChunk): Uint8Array {
  const count = events.x.length
  const layout = new Layout(32 + count * EVENT_BYTES, 'EVTS')
  const { view } = layout
  layout.fields(12, [8, 4])
  layout.root(20, 12)
  layout.offset(24, 28)
  view.setUint32(28, count, true)
  for (let i = 0, at = 32; i < count; i++, at += EVENT_BYTES) {
    const time = events.timestamp[i]!
    const high = Math.floor(time / 2 ** 32)
    view.setUint32(at, time - high * 2 ** 32, true)
    view.setInt32(at + 4, high, true)
    view.setInt16(at + 8, events.x[i]!, true)
    view.setInt16(at + 10, events.y[i]!, true)
    view.setUint8(at + 12, events.polarity[i] ? 1 : 0)
  }
  return layout.bytes
}

export function encodePacketTable(entries: readonly PacketEntry[]): Uint8Array {
  // the list of offsets begins at 48, tables of 48 bytes follow it
  const first = Math.ceil((48 + 4 * entries.length) / 8) * 8
  const layout = new Layout(first + 48 * entries.length, 'FTAB')
  const { view } = layout
  layout.fields(12, [8, 4])
  layout.fields(18, [48, 8, 16, 24, 32, 40])
  layout.root(36, 12)
  layout.offset(40, 44)
  view.setUint32(44, entries.length, true)
  entries.forEach((entry, i) => {
    const at = first + 48 * i
    layout.offset(48 + 4 * i, at)
    layout.table(at, 18)
    view.setBigInt64(at + 8, BigInt(entry.byteOffset), true)
    view.setInt32(at + 16, entry.streamId, true)
    view.setInt32(at + 20, entry.size, true)
    view.setBigInt64(at + 24, BigInt(entry.count), true)
    view.setBigInt64(at + 32, BigInt(entry.first), true)
    view.setBigInt64(at + 40, BigInt(entry.last), true)
  })
  return layout.bytes
}

/** Bytes of a FlatBuffer with a size prefix, filled in at fixed places (counted from the prefix), padded to 8 bytes. */
class Layout {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(length: number, identifier: string) {
    this.bytes = new Uint8Array(Math.ceil(length / 8) * 8)
    this.view = new DataView(this.bytes.buffer)
    this.view.setUint32(0, this.bytes.length - 4, true)
    this.bytes.set(new TextEncoder().encode(identifier), 8)
  }

  /** The list of fields: the table's length, then each field's place in it. */
  fields(at: number, [tableLength, ...places]: readonly number[]): void {
    ;[4 + 2 * places.length, tableLength!, ...places].forEach((value, i) => {
      this.view.setUint16(at + 2 * i, value, true)
    })
  }

  table(at: number, fields: number): void {
    this.view.setInt32(at, at - fields, true)
  }

  root(at: number, fields: number): void {
    this.offset(4, at)
    this.table(at, fields)
  }

  offset(at: number, target: number): void {
    this.view.setUint32(at, target - at, true)
  }
}
