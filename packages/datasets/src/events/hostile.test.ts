import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DAVIS346_LAYOUT,
  DatasetFormatError,
  DatasetUnsupportedError,
  type EventFile,
  encodeAedat2,
  encodeAedat4,
  encodeNmnist,
  eventStatistics,
  readAedat2,
  readAedat4,
  readNmnist,
  writeRecording,
} from '../index.ts'
import { inPieces, manyEvents } from '../testing/events.ts'
import { lz4Decompress } from './aedat4/lz4.ts'
import { lz4Compress } from './aedat4/lz4-compress.ts'
import { zstdDecompress } from './aedat4/zstd.ts'

const size = { width: 34, height: 34 }
const events = manyEvents(40)
const ZSTD = new Uint8Array(Buffer.from('KLUv/STAbQAAMGhlbGxvIAEAt1ClCE4tkH0=', 'base64'))

/** Gives whether anything was left out. */
type Read = (bytes: Uint8Array) => Promise<boolean>
const drain = async (recording: EventFile) => {
  for await (const chunk of recording) for (const time of chunk.timestamp) expect(Number.isSafeInteger(time)).toBe(true)
  return recording.bad.first !== undefined
}
const formats: readonly (readonly [string, Uint8Array, Read])[] = [
  ['N-MNIST', encodeNmnist(events), (b) => drain(readNmnist(b))],
  ['AEDAT 2.0, DVS128', encodeAedat2(events, { comments: ['settings'] }), (b) => drain(readAedat2(inPieces(b, 13)))],
  [
    'AEDAT 2.0, DAVIS346',
    encodeAedat2(events, { layout: DAVIS346_LAYOUT }),
    (b) => drain(readAedat2(b, { layout: DAVIS346_LAYOUT })),
  ],
  ['AEDAT 4.0', encodeAedat4(size, [events, events]), async (b) => drain(await readAedat4(b, { maxPacketBytes: 1e6 }))],
  [
    'AEDAT 4.0, LZ4',
    encodeAedat4(size, [events, events], { compression: 'lz4' }),
    async (b) => drain(await readAedat4(inPieces(b, 100), { maxPacketBytes: 1e6 })),
  ],
  [
    'LZ4',
    lz4Compress(new TextEncoder().encode('abcdefgh'.repeat(30))),
    async (b) => lz4Decompress(b, 10_000).length < 0,
  ],
  ['zstd', ZSTD, async (b) => zstdDecompress(b, 10_000).length < 0],
]

describe('hostile bytes', () => {
  it.each(formats)(
    'of %s end in a typed error, whole events, or counted losses (2,500 cases)',
    async (_name, file, read) => {
      await read(file)
      let [whole, noticed] = [0, 0]
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255))), { maxLength: 4 }),
          fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
          fc.boolean(),
          async (flips, cut, isEarly) => {
            const bytes = file.slice(0, cut === null ? file.length : Math.floor(cut * file.length))
            for (const [at, value] of flips)
              if (bytes.length > 0) bytes[at % (isEarly ? Math.min(96, bytes.length) : bytes.length)] = value
            try {
              if (await read(bytes)) noticed++
              else whole++
            } catch (error) {
              if (!(error instanceof DatasetFormatError || error instanceof DatasetUnsupportedError)) throw error
              expect(error.message.length).toBeLessThan(400)
              noticed++
            }
          },
        ),
        { numRuns: 2500 },
      )
      // both happen, or the damage would test nothing
      expect(whole).toBeGreaterThan(10)
      expect(noticed).toBeGreaterThan(100)
    },
  )
})

describe('files', () => {
  it('hold what was written, or are not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-events-'))
    try {
      for (const format of ['nmnist', 'aedat2', 'aedat4', 'aedat4-lz4'] as const) {
        const path = join(folder, format)
        await writeRecording(path, format, size, [manyEvents(100), manyEvents(100, 400)])
        const readers = { nmnist: readNmnist, aedat2: readAedat2, aedat4: readAedat4, 'aedat4-lz4': readAedat4 }
        const recording = await readers[format](path)
        expect(await eventStatistics(size, recording)).toEqual(
          await eventStatistics(size, [manyEvents(100), manyEvents(100, 400)]),
        )
        if (format === 'aedat4')
          expect(new Uint8Array(readFileSync(path))).toEqual(
            encodeAedat4(size, [manyEvents(100), manyEvents(100, 400)]),
          )
        await expect(writeRecording(`${path}x`, format, { width: 2, height: 2 }, [manyEvents(9)])).rejects.toThrow(
          DatasetFormatError,
        )
        expect(() => readFileSync(`${path}x`)).toThrow(/ENOENT/)
        expect(() => readFileSync(`${path}x.partial`)).toThrow(/ENOENT/)
      }
      await expect(writeRecording(join(folder, 'b'), 'toString' as 'aedat2', size, [])).rejects.toThrow(/format of/)
      await expect(writeRecording(join(folder, 'b'), 'aedat2', { width: 129, height: 9 }, [])).rejects.toThrow(
        /129 x 9/,
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
