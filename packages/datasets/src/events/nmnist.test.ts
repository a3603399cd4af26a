import { describe, expect, it } from 'vitest'
import { collectEvents, DatasetFormatError, encodeNmnist, parseNmnist, readNmnist } from '../index.ts'
import { eventsOf, inPieces, manyEvents } from '../testing/events.ts'

describe("N-MNIST's 40-bit events", () => {
  it('are what the paper says, bit by bit', () => {
    // x 5, y 33, ON, 0x7fffff us; then OFF, 1 us after the wrap
    const file = Uint8Array.of(5, 33, 0xff, 0xff, 0xff, 0, 1, 0x00, 0x00, 0x01)
    expect(parseNmnist(file)).toEqual(
      eventsOf([
        [5, 33, 1, 0x7fffff],
        [0, 1, 0, 0x800001],
      ]),
    )
  })

  it("passes over the ATIS's overflow marks and adds their time", () => {
    const file = Uint8Array.of(1, 2, 0x80, 0, 5, 0, 240, 0, 0, 0, 1, 2, 0, 0, 3)
    expect([...parseNmnist(file).timestamp]).toEqual([5, 8195])
  })

  it('return what was written, whole or in pieces of any size, over wraps', async () => {
    const events = eventsOf(
      Array.from({ length: 3000 }, (_, i) => [
        (i * 7) % 34,
        (i * 5) % 34,
        i % 2,
        i * 9973 + (i > 1500 ? 4_000_000 : 0),
      ]),
    )
    const file = encodeNmnist(events)
    expect(parseNmnist(file)).toEqual(events)
    const recording = readNmnist(inPieces(file, 1, 7, 4096), { chunkEvents: 100 })
    expect(recording).toMatchObject({ width: 34, height: 34 })
    let largest = 0
    const chunks = []
    for await (const chunk of recording) {
      largest = Math.max(largest, chunk.x.length)
      chunks.push(chunk)
    }
    expect(largest).toBe(100)
    expect(chunks).toHaveLength(30)
    expect(await collectEvents(readNmnist(file))).toEqual(events)
  })

  it('lose a cut record and records outside the sensor, no other, and count them', async () => {
    const events = manyEvents(1000)
    const file = encodeNmnist(events)
    const bytes = Uint8Array.from([...file.subarray(0, 500), 40, 3, 0x80, 0, 5, ...file.subarray(500), 1, 2])
    for (const chunkEvents of [3, 65_536]) {
      const recording = readNmnist(bytes, { chunkEvents })
      expect(await collectEvents(recording)).toEqual(events)
      expect(recording.bad).toMatchObject({
        outside: 1,
        cutBytes: 2,
        first: 'the record at byte 500 is at (40, 3), outside a sensor of 34 x 34',
      })
    }
    // N-Caltech101's sensor is larger
    const wide = encodeNmnist({ ...events, x: events.x.map((x) => 5 * x) }, { width: 240, height: 180 })
    await expect(collectEvents(readNmnist(wide))).rejects.toThrow(/of 1000 records lie outside the sensor/)
  })

  it('of an endless recording are read no further than asked, and its source is let go', async () => {
    const piece = encodeNmnist(manyEvents(10_000)).slice(0, 50_000)
    let [given, isClosed] = [0, false]
    async function* endless() {
      try {
        for (;;) {
          given++
          yield piece
        }
      } finally {
        isClosed = true
      }
    }
    let count = 0
    for await (const chunk of readNmnist(endless(), { chunkEvents: 10_000 })) {
      count += chunk.x.length
      if (count >= 100_000) break
    }
    expect(count).toBe(100_000)
    expect(given).toBe(10)
    expect(isClosed).toBe(true)
  })

  it('say what is wrong', async () => {
    expect(() => parseNmnist(new Uint8Array(7))).toThrow(/2 bytes at byte 5 .* cut off/)
    expect(() => parseNmnist(Uint8Array.of(34, 0, 0, 0, 0))).toThrow(
      /byte 0 is at \(34, 0\), outside a sensor of 34 x 34/,
    )
    expect(() => readNmnist(new Uint8Array(0), { width: 300 })).toThrow(/1 to 256 pixels/)
    expect(() => encodeNmnist(eventsOf([[0, 0, 1, -1]]))).toThrow(/rising times/)
    expect(() => encodeNmnist(eventsOf([[0, 0, 1, 2 ** 22]]))).toThrow(/gaps below 2\^22/)
    expect(() => encodeNmnist(eventsOf([[0, 0, 1, 0.5]]))).toThrow(/integer/)
    expect(() => encodeNmnist(eventsOf([[0, 240, 1, 1]]), { height: 256 })).toThrow(/write AEDAT 4/)
    expect(() => encodeNmnist({ ...manyEvents(2), x: new Uint16Array(1) })).toThrow(/one length/)
    await expect(collectEvents(readNmnist(encodeNmnist(manyEvents(9))), 8)).rejects.toThrow(/at most 8 events/)
    await expect(collectEvents(readNmnist(5 as unknown as string))).rejects.toThrow(DatasetFormatError)
    const missing = collectEvents(readNmnist('/nowhere.bin'))
    await expect(missing).rejects.toThrow(/^\/nowhere\.bin: it cannot be read \(ENOENT/)
    await expect(missing).rejects.toMatchObject({ name: 'DatasetFileError', code: 'ENOENT', path: '/nowhere.bin' })
    await expect(collectEvents(readNmnist(import.meta.dirname))).rejects.toThrow(/it is a folder, expected a file/)
  })
})
