import { describe, expect, it } from 'vitest'
import { collectEvents, DAVIS240_LAYOUT, DAVIS346_LAYOUT, DVS128_LAYOUT, encodeAedat2, readAedat2 } from '../index.ts'
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

  it('reads addresses of a DAVIS and leaves out samples and external signals', async () => {
    const pixel = (259 << 22) | (345 << 12) | (1 << 11)
    const bytes = file(pixel, 1, pixel | 0x400, 2, (pixel | 0x80000000) >>> 0, 3, 4 << 12, 4)
    expect(await collectEvents(readAedat2(bytes, { layout: DAVIS346_LAYOUT }))).toEqual(
      eventsOf([
        [345, 0, 1, 1],
        [4, 259, 0, 4],
      ]),
    )
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
    await expect(read(new TextEncoder().encode('#!AER-DAT3.1\r\n'))).rejects.toThrow(/got "#!AER-DAT3.1"/)
    await expect(read(file(0, 1).slice(0, -3))).rejects.toThrow(/5 bytes at byte 26: cut off/)
    await expect(read(file(500 << 12, 1), { layout: DAVIS240_LAYOUT })).rejects.toThrow(/outside a DAVIS240/)
    await expect(read(new TextEncoder().encode('#!AER-DAT2.0\n'.repeat(10_001)))).rejects.toThrow(/header lines/)
    expect(() => encodeAedat2(eventsOf([[0, 0, 1, 2 ** 31]]))).toThrow(/gaps below/)
    expect(() => encodeAedat2(manyEvents(1), { comments: ['a\nb'] })).toThrow(/printable/)
  })
})

/** The format's times start from 0: an unwrapped counter cannot know how often it had wrapped before. */
function shifted(events: ReturnType<typeof manyEvents>) {
  const first = events.timestamp[0]!
  return { ...events, timestamp: events.timestamp.map((t) => t - first) }
}
