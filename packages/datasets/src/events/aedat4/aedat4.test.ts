import { Builder, ByteBuffer } from 'flatbuffers'
import { describe, expect, it } from 'vitest'
import { collectEvents, DatasetFormatError, DatasetUnsupportedError, encodeAedat4, readAedat4 } from '../../index.ts'
import { eventsOf, expectSame, inPieces, manyEvents } from '../../testing/events.ts'
import { RecordTally } from '../bad-records.ts'
import { eventStreamInfo, parseInfoNode } from './info-node.ts'
import { lz4Decompress } from './lz4.ts'
import { lz4Compress } from './lz4-compress.ts'
import { encodeEventPacket, encodeIoHeader, encodePacketTable, parseEventPacket, parseIoHeader } from './schema.ts'
import { xxHash32 } from './xx-hash-32.ts'
import { zstdDecompress } from './zstd.ts'

const size = { width: 34, height: 31 }
const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
const plain = Uint8Array.from([
  ...Array.from({ length: 300 }, (_, i) => (Math.floor((i * i) / 7) + (i % 13)) & 63),
  ...new TextEncoder().encode('abcabcabc'.repeat(20)),
])
/** `plain` by python-lz4 4.0: block checksums, content checksum and size; and by python-zstandard 0.20 with checksum. */
const LZ4 = base64(
  'BCJNGHxA4AEAAAAAAAAdOwEAAP//IQABAgQGCAsOERQYHCAYHSInLTM5AAcOFR0lICkyOwQOGCItOAMOGhklMj8MGSc1AxIhMD8CEiIzBBUmOAocLwIVGy8DFywBFisBFy0EGyU8FCwEHTYPKAIcNhEfOhUxDSkGIwAdOxk3CSgHJgYmBicIKQosDiMGKQwvEzcbACUKLxUuFDsiCTAYACgROiMMKRM9KBM+KRUBLRoHNBQCMB4NPCsaCjoqGwwwIRMFNyodEAM3Kx8UPDEmHBIIPzYtJBwUDDgxKiMdFxEMBwI9OTUkIR4bGBYUEhEQDw4OAQECAwQFBwkLDhEUFw4SFhsgJSowNjwDChELExsjLDU+BxEbJTA7OQQQHCg1Ag8cKjgGFRcmNQUVJTYHGCk7DR8lOAseMgYaLwQZLgQaI2FiYwMAmVBiY2FiYyEhnZUAAAAAo10bZw==',
)
const ZSTD = base64(
  'KLUv/WTgAJUIALZSQR3QBPcw8MUDfPFkmSNC+v2ad0OYv0oaMegd4pprHTgANwA6AJQDSTge9YB8U7BD5bYrJZNoJmxIj/iwoszEWxd+yi+rcDUnn+GxjW9ToXyPDKsYvdIZFwa2UqcJHzNxl+lHmiVzTRUSMlNHNgj5hpMTGH2rYQ/6g4fd7HY5AmmZWKPZb5BsyyKPnXKHEauePj2vXw91HIwPiCzpRMUVDYdYudAbZQrTOkkZ6e74xsxA6pvk1AsI+SCwjhRMjTDinQW6IKdBEVINcK/P2QEDAgHaVSNWBS87URRKvzCYv7qj3wJxo7Ytu36gItcRtWKGnueLET2NT4UMPecYdp7BExKmCFdQAwIAhkunWBZbRgoO1CKB',
)

describe('compression', () => {
  it('xxHash gives the published values', () => {
    expect(xxHash32(new Uint8Array(0))).toBe(0x02cc5d05)
    expect(xxHash32(new TextEncoder().encode('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
  })

  it("reads the reference tools' frames", () => {
    expect(lz4Decompress(LZ4, 480)).toEqual(plain)
    expect(zstdDecompress(ZSTD, 480)).toEqual(plain)
    expect(() => lz4Decompress(LZ4, 479)).toThrow(/480 bytes, the limit is 479/)
    expect(() => zstdDecompress(ZSTD, 479)).toThrow(/480 bytes, the limit is 479/)
  })

  it('LZ4 returns what was compressed, of any length', () => {
    for (const length of [0, 1, 5, 12, 13, 14, 100, 70_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i % 97 < 50 ? i % 7 : (i * i * 31) & 255))
      expect(lz4Decompress(lz4Compress(bytes), length)).toEqual(bytes)
    }
    const random = Uint8Array.from({ length: 5_000_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255)
    const frame = lz4Compress(random)
    expect(frame.length).toBeLessThan(random.length + 40)
    expect(xxHash32(lz4Decompress(frame, 5_000_000))).toBe(xxHash32(random))
    expect(lz4Compress(new Uint8Array(100_000)).length).toBeLessThan(500)
  })

  it('LZ4 verifies every checksum', () => {
    const damage = (at: number) => {
      const bytes = LZ4.slice()
      bytes[at < 0 ? bytes.length + at : at]! ^= 1
      return () => lz4Decompress(bytes, 1000)
    }
    expect(damage(0)).toThrow(/magic/)
    expect(damage(6)).toThrow(/header checksum/)
    expect(damage(30)).toThrow(/checksum of the block/)
    expect(damage(-1)).toThrow(/content checksum/)
    expect(() => lz4Decompress(Uint8Array.of(...LZ4, 0), 1000)).toThrow(/cut off/)
    expect(() => lz4Decompress(Uint8Array.of(...LZ4, 1, 2, 3, 4), 1000)).toThrow(
      /no frame begins at byte \d+, after the last/,
    )
    expect(() => lz4Decompress(LZ4.slice(0, -3), 1000)).toThrow(/cut off/)
  })
})

describe('FlatBuffers', () => {
  it("are read as the library's builder writes them", () => {
    const builder = new Builder(16)
    builder.startVector(16, 2, 8)
    for (const [time, x, y, isOn] of [
      [2 ** 40 + 5, 33, 30, 0],
      [-7, 1, 2, 1],
    ] as const) {
      builder.prep(8, 16)
      builder.pad(3)
      builder.writeInt8(isOn)
      builder.writeInt16(y)
      builder.writeInt16(x)
      builder.writeInt64(BigInt(time))
    }
    const elements = builder.endVector()
    builder.startObject(1)
    builder.addFieldOffset(0, elements, 0)
    builder.finishSizePrefixed(builder.endObject(), 'EVTS')
    expect(parseEventPacket(builder.asUint8Array(), size, new RecordTally('x', {}))).toEqual(
      eventsOf([
        [1, 2, 1, -7],
        [33, 30, 0, 2 ** 40 + 5],
      ]),
    )
    const header = new Builder(16)
    const text = header.createString('<dv/>é')
    header.startObject(3)
    header.addFieldInt32(0, 3, 0)
    header.addFieldOffset(2, text, 0)
    header.finishSizePrefixed(header.endObject(), 'IOHE')
    expect(parseIoHeader(header.asUint8Array())).toEqual({
      compression: 'zstd',
      dataTablePosition: -1,
      infoNode: '<dv/>é',
    })
  })

  it('are written as the library reads them', () => {
    const table = (bytes: Uint8Array, identifier: string) => {
      const buffer = new ByteBuffer(bytes)
      buffer.setPosition(4)
      expect(buffer.__has_identifier(identifier)).toBe(true)
      expect(buffer.readInt32(0)).toBe(bytes.length - 4)
      return { buffer, at: buffer.readInt32(4) + 4 }
    }
    const field = (buffer: ByteBuffer, at: number, number: number) => at + buffer.__offset(at, 4 + 2 * number)
    const header = encodeIoHeader({ compression: 'lz4', dataTablePosition: 2 ** 40 + 3, infoNode: 'näme' })
    const io = table(header, 'IOHE')
    expect(io.buffer.readInt32(field(io.buffer, io.at, 0))).toBe(1)
    expect(io.buffer.readInt64(field(io.buffer, io.at, 1))).toBe(BigInt(2 ** 40 + 3))
    expect(io.buffer.__string(field(io.buffer, io.at, 2))).toBe('näme')
    const packet = table(encodeEventPacket(eventsOf([[33, 30, 1, 2 ** 33 + 1]])), 'EVTS')
    const vector = field(packet.buffer, packet.at, 0)
    expect(packet.buffer.__vector_len(vector)).toBe(1)
    const event = packet.buffer.__vector(vector)
    expect(event % 8).toBe(0)
    expect(packet.buffer.readInt64(event)).toBe(BigInt(2 ** 33 + 1))
    expect([packet.buffer.readInt16(event + 8), packet.buffer.readInt16(event + 10)]).toEqual([33, 30])
    expect(packet.buffer.readInt8(event + 12)).toBe(1)
    const entry = { byteOffset: 99, streamId: 0, size: 1234, count: 5, first: 6, last: 7 }
    const packets = table(encodePacketTable([entry, { ...entry, byteOffset: 2 ** 35 }, entry]), 'FTAB')
    const list = field(packets.buffer, packets.at, 0)
    expect(packets.buffer.__vector_len(list)).toBe(3)
    const second = packets.buffer.__indirect(packets.buffer.__vector(list) + 4)
    expect(packets.buffer.readInt64(field(packets.buffer, second, 0))).toBe(BigInt(2 ** 35))
    expect(packets.buffer.readInt32(field(packets.buffer, second, 1) + 4)).toBe(1234)
    expect([2, 3, 4].map((f) => Number(packets.buffer.readInt64(field(packets.buffer, second, f))))).toEqual([5, 6, 7])
  })
})

describe('AEDAT 4.0', () => {
  it('returns what was written, for every compression, in pieces of any size, in bounded chunks', async () => {
    const events = manyEvents(70_000, 1_700_000_000_000_000)
    for (const compression of ['none', 'lz4'] as const) {
      const file = encodeAedat4(size, [events], { compression })
      const recording = await readAedat4(inPieces(file, 11, 70_000), { chunkEvents: 10_000 })
      expect(recording).toMatchObject(size)
      expectSame(await collectEvents(recording), events)
      await expect(collectEvents(recording)).rejects.toThrow(/read once/)
      const again = await readAedat4(file)
      expectSame(await collectEvents(again), events)
      expectSame(await collectEvents(again), events)
    }
  })

  it('passes over other streams and empty packets, and needs no table', async () => {
    const info = eventStreamInfo(size, 'NONE', 'a').replace(
      '</node></node></dv>',
      '</node><node name="7"><attr key="typeIdentifier" type="string">IMUS</attr></node></node></dv>',
    )
    const header = encodeIoHeader({ compression: 'none', dataTablePosition: -1, infoNode: info })
    const packet = (id: number, body: Uint8Array) => [...new Uint8Array(Int32Array.of(id, body.length).buffer), ...body]
    const events = manyEvents(3)
    const file = Uint8Array.from([
      ...new TextEncoder().encode('#!AER-DAT4.0\r\n'),
      ...header,
      ...packet(7, Uint8Array.of(1, 2, 3)),
      ...packet(0, encodeEventPacket(manyEvents(0))),
      ...packet(0, encodeEventPacket(events)),
    ])
    expect(await collectEvents(await readAedat4(file))).toEqual(events)
    await expect(readAedat4(file, { stream: 7 })).rejects.toThrow(/stream 7 holds events; there are 0 \("EVTS"\), 7/)
    const cut = await readAedat4(file.slice(0, -5))
    expect(await collectEvents(cut)).toEqual(eventsOf([]))
    expect(cut.bad).toMatchObject({
      cutBytes: 83,
      first: expect.stringMatching(/83 bytes at byte \d+ are no whole packet/),
    })
    await expect(collectEvents(await readAedat4(file, { maxPacketBytes: 40 }))).rejects.toThrow(/expected 0 to 40/)
  })

  it('loses events outside the sensor and a cut packet, nothing else, and counts them', async () => {
    const events = manyEvents(3000)
    const wide = encodeAedat4({ width: 99, height: 31 }, [events, eventsOf([[34, 2, 1, 9000]]), manyEvents(7, 9001)])
    // the header's sizeX is text
    const file = new Uint8Array(Buffer.from(Buffer.from(wide).toString('latin1').replace('>99<', '>34<'), 'latin1'))
    const recording = await readAedat4(file)
    expect((await collectEvents(recording)).x.length).toBe(3007)
    expect(recording.bad).toMatchObject({
      outside: 1,
      cutBytes: 0,
      first: expect.stringMatching(/event 0 of the packet at byte \d+ is at \(34, 2\), outside a sensor of 34 x 31/),
    })
    // in the middle of the third packet; the header says where the table would be
    const table = Number(new DataView(file.buffer).getBigInt64(14 + 32, true))
    const cut = await readAedat4(file.slice(0, table - 20))
    expectSame(await collectEvents(cut), events)
    expect(cut.bad).toMatchObject({ outside: 1, cutBytes: 8 + 32 + 16 * 7 - 20 })
    const between = await readAedat4(file.slice(0, table - 8 - 32 - 16 * 7))
    expectSame(await collectEvents(between), events)
    await collectEvents(await readAedat4(file.slice(0, table)))
    const wrong = Buffer.from(Buffer.from(wide).toString('latin1').replace('>99<', '>11<'), 'latin1')
    await expect(collectEvents(await readAedat4(wrong))).rejects.toThrow(
      /records lie outside the sensor, the first: event 2 of/,
    )
  })

  it('says what is wrong', async () => {
    const older = readAedat4(new TextEncoder().encode('#!AER-DAT3.1\r\n'))
    await expect(older).rejects.toThrow(/got "#!AER-DAT3.1"/)
    await expect(older).rejects.toThrow(DatasetUnsupportedError)
    await expect(readAedat4('/nowhere.aedat4')).rejects.toThrow(/^\/nowhere\.aedat4: it cannot be read \(ENOENT/)
    await expect(readAedat4(new TextEncoder().encode('#!AER-DAT4.0\r\n'))).rejects.toThrow(/header of 8/)
    const file = encodeAedat4(size, [manyEvents(2)])
    const other = file.slice()
    other[27] = 0x58
    await expect(readAedat4(other)).rejects.toThrow(DatasetFormatError)
    expect(() => encodeAedat4(size, [eventsOf([[34, 0, 1, 0]])])).toThrow(/outside a sensor/)
    expect(() => encodeAedat4({ width: 40_000, height: 1 }, [])).toThrow(/32767/)
    expect(() => encodeAedat4(size, [], { compression: 'zstd' as 'lz4' })).toThrow(/'none' or 'lz4'/)
    expect(() => encodeAedat4(size, [], { source: '<x>' })).toThrow(/letters/)
    expect(() => parseInfoNode('<dv><node name="outInfo"></node></dv>')).toThrow(/no stream/)
    expect(() => parseInfoNode(`${'<node name="a">'.repeat(65)}`)).toThrow(/too deeply/)
    const wrong = eventStreamInfo(size, 'NONE', 'a').replace('>34<', '>-3<')
    expect(() => parseInfoNode(wrong)).toThrow(/whole number as sizeX/)
  })
})
