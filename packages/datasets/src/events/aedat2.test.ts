import { describe, expect, it } from 'vitest'
import {
  collectEvents,
  DAVIS240_LAYOUT,
  DAVIS346_LAYOUT,
  DatasetFormatError,
  DatasetUnsupportedError,
  DVS128_LAYOUT,
  encodeAedat2,
  readAedat2,
} from '../index.ts'
import { eventsOf, inPieces, manyEvents } from '../testing/events.ts'

const header = [...new TextEncoder().encode('#!AER-DAT2.0\r\n# settings\r\n')]
const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const file = (...words: readonly number[]) => Uint8Array.from([...header, ...words.flatMap(word)])

describe('AEDAT 2.0', () => {
  it('reads addresses of a DVS128: mirrored x, y from below, 0 for ON', async () => {
    const events = await collectEvents(
      readAedat2(file((127 << 8) | (127 << 1), 7, (1 << 8) | (3 << 1) | 1, 9, 0x8000, 9)),
    )
    expect(events).toEqual(
      eventsOf([
        [0, 0, 1, 7],
        [124, 126, 0, 9],
      ]),
    )
  })

  it("reads a DAVIS' addresses as jAER does, x from the right, and leaves out samples and external signals", async () => {
    const pixel = (259 << 22) | (345 << 12) | (1 << 11)
    const bytes = file(pixel, 1, pixel | 0x400, 2, (pixel | 0x80000000) >>> 0, 3, 5 << 12, 20)
    expect(await collectEvents(readAedat2(bytes, { layout: DAVIS346_LAYOUT }))).toEqual(
      eventsOf([
        [0, 0, 1, 1],
        [340, 259, 0, 20],
      ]),
    )
  })

  it.each([
    // what v2e's writer (aedat2_output.py, flipx and flipy) makes of (3, 4, ON): (width - 1 - 3) << 12 | (height - 1 - 4) << 22 | 1 << 11
    ['DAVIS346', DAVIS346_LAYOUT, 0x3fd56800],
    ['DAVIS240', DAVIS240_LAYOUT, 0x2bcec800],
    // jAER's extractor of the DVS128 turned round: (127 - 3) << 1 | (127 - 4) << 8 | 0
    ['DVS128', DVS128_LAYOUT, 0x7bf8],
  ])('writes what other tools write for a %s', async (_, layout, address) => {
    const written = encodeAedat2(eventsOf([[3, 4, 1, 7]]), { layout })
    expect(new DataView(written.buffer, written.length - 8).getUint32(0)).toBe(address)
    expect(await collectEvents(readAedat2(written, { layout }))).toEqual(eventsOf([[3, 4, 1, 7]]))
  })

  it('reads version 2.1, and stops where jAER ends its header', async () => {
    const text = '#!AER-DAT2.1\r\n# AEChip: x\r\n#End Of ASCII Header\r\n'
    // the first record is text that could be a header line
    const record = [...new TextEncoder().encode('#abcdef\n')]
    const bytes = Uint8Array.from([...new TextEncoder().encode(text), ...record])
    const layout = { ...DVS128_LAYOUT, decode: () => ({ x: 1, y: 2, polarity: 1 as const }) }
    expect(await collectEvents(readAedat2(bytes, { layout }))).toEqual(eventsOf([[1, 2, 1, 0x6465660a]]))
  })

  it('loses a cut record and records outside the sensor, no other, and counts them', async () => {
    const records = Array.from({ length: 1000 }, (_, i) => [(100 << 22) | (50 << 12), i]).flat()
    // row 306 of 260, as DHP19 has it; its time must not move the clock
    const whole = file(...records.slice(0, 1000), 0x4c800002, 0xffff_fff0, ...records.slice(1000))
    const bytes = Uint8Array.from([...whole, 0, 0, 1])
    for (const chunkEvents of [7, 65_536]) {
      const recording = readAedat2(bytes, { layout: DAVIS346_LAYOUT, chunkEvents })
      expect(recording.bad).toMatchObject({ outside: 0, cutBytes: 0 })
      const { timestamp, x } = await collectEvents(recording)
      expect([...timestamp]).toEqual(Array.from({ length: 1000 }, (_, i) => i))
      expect(new Set(x)).toEqual(new Set([295]))
      expect(recording.bad).toMatchObject({
        outside: 1,
        cutBytes: 3,
        first: `the address 0x4c800002 at byte ${header.length + 4000} is outside a DAVIS346 (346 x 260)`,
      })
    }
    const cut = readAedat2(file(0, 1).slice(0, -3))
    expect(await collectEvents(cut)).toEqual(eventsOf([]))
    expect(cut.bad).toMatchObject({ cutBytes: 5, first: expect.stringMatching(/5 bytes at byte 26 .* cut off/) })
  })

  it('ends where bad records are more than damage', async () => {
    // a DAVIS' file as a DVS128's
    const records = Array.from({ length: 100 }, (_, i) => [((i % 50 === 0 ? 0 : 100) << 22) | 0, i]).flat()
    const wrong = collectEvents(readAedat2(file(...records)))
    await expect(wrong).rejects.toThrow(/98 of 100 records lie outside.*byte 34 is outside a DVS128/)
    await expect(collectEvents(readAedat2(file(...records), { maxBadShare: 1 }))).resolves.toMatchObject({
      timestamp: Float64Array.of(0, 50),
    })
    // long recordings are judged before their end
    const long = new Uint8Array(header.length + 8 * 70_000).fill(0x11, header.length)
    long.set(header)
    let given = 0
    async function* endless() {
      for (;;) {
        given++
        yield long.subarray(given === 1 ? 0 : header.length)
      }
    }
    await expect(collectEvents(readAedat2(endless(), { chunkEvents: 1000 }))).rejects.toThrow(/raise maxBadShare/)
    expect(given).toBeLessThan(4)
  })

  it('returns what was written, in pieces of any size, for every camera, over wraps', async () => {
    const late = Array.from({ length: 50 }, (_, i) => [i, 30 - (i % 30), i % 2, 2 ** 31 - 5 + i * 100_000_000] as const)
    for (const layout of [DVS128_LAYOUT, DAVIS240_LAYOUT, DAVIS346_LAYOUT])
      for (const events of [manyEvents(5000), eventsOf(late)]) {
        const bytes = encodeAedat2(events.timestamp[0] === 0 ? events : shifted(events), { layout, comments: ['a b'] })
        const recording = readAedat2(inPieces(bytes, 3, 1000), { layout, chunkEvents: 64 })
        expect(await collectEvents(recording)).toEqual(events.timestamp[0] === 0 ? events : shifted(events))
      }
  })

  it('tells binary data that begins with # from a header line', async () => {
    const bytes = Uint8Array.from([...header, 0x23, 0x40, 0x58, 0, 0, 0, 0, 5])
    expect(await collectEvents(readAedat2(bytes, { layout: DAVIS240_LAYOUT }))).toMatchObject({
      timestamp: Float64Array.of(5),
    })
  })

  it('says what is wrong', async () => {
    const read = (bytes: Uint8Array, options = {}) => collectEvents(readAedat2(bytes, options))
    await expect(read(new Uint8Array(0))).rejects.toThrow(/expected "#!AER-DAT2.0"/)
    const text = (lines: string) => new TextEncoder().encode(lines)
    const other = read(text('#!AER-DAT3.1\r\n'))
    await expect(other).rejects.toThrow(/got "#!AER-DAT3.1"/)
    await expect(other).rejects.toThrow(DatasetUnsupportedError)
    await expect(read(text('#!AER-BAT2.0\r\n'))).rejects.toThrow(DatasetFormatError)
    const davis = '#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n'
    await expect(read(text(davis))).rejects.toThrow(/names the camera "eu.*Davis346red", .*give a layout/)
    expect(await read(text(davis), { layout: DAVIS346_LAYOUT })).toEqual(eventsOf([]))
    await expect(read(file(500 << 12, 1), { layout: DAVIS240_LAYOUT })).rejects.toThrow(/outside a DAVIS240/)
    await expect(read(text('#!AER-DAT2.0\n'.repeat(10_001)))).rejects.toThrow(/header lines/)
    expect(() => readAedat2(new Uint8Array(0), { maxBadShare: 2 })).toThrow(/maxBadShare of 0 to 1, got 2/)
    expect(() => encodeAedat2(eventsOf([[0, 0, 1, 2 ** 31]]))).toThrow(/gaps below/)
    expect(() => encodeAedat2(manyEvents(1), { comments: ['a\nb'] })).toThrow(/printable/)
  })
})

/** The format's times start from 0: an unwrapped counter cannot know how often it had wrapped before. */
function shifted(events: ReturnType<typeof manyEvents>) {
  const first = events.timestamp[0]!
  return { ...events, timestamp: events.timestamp.map((t) => t - first) }
}
