/**
 * Frames that the reference tools made (zstd 1.5, lz4 1.9), damaged byte by byte: where a frame has a checksum, what is
 * unpacked is what was packed, or an error. `plain` is 40 copies of a line with its number.
 */
import { describe, expect, it } from 'vitest'
import { collectEvents, DatasetFormatError, DatasetUnsupportedError, encodeAedat4, readAedat4 } from '../../index.ts'
import { expectSame, manyEvents } from '../../testing/events.ts'
import { lz4Decompress } from './lz4.ts'
import { lz4Compress } from './lz4-compress.ts'
import { xxHash64 } from './xx-hash-64.ts'
import { zstdDecompress } from './zstd.ts'

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const plain = new TextEncoder().encode(
  Array.from({ length: 40 }, (_, i) => `event ${i} at ${(i * i * 7919) % 1000} of ${(i * 104729) % 9973}\n`).join(''),
)
/** seq 0 39 | awk '{printf "event %d at %d of %d\\n", $1, ($1*$1*7919)%1000, ($1*104729)%9973}' > plain */
const FRAMES = {
  /** zstd -19 --check plain */
  zstdSized: bytesOf(
    'KLUv/WSWAs0HAJaQJBHApwNOWC3/X7LJnVJKrKg4NyMAHQAeAK6ZlQmCab7SyUIpn+oesjkfsWehwqpyrQZMUBxDMAFiEAkR5SRsX502QxeW7Sf6TjPn7Vu7+UrL7VXbNlOzeTVCsaUssN+LWJuF/KlnA9fk95UsRSRfxJEzZchTjQGAyUVVlwr1t1Ftlvoneh2Uuv2KWpezfX1rZzZtdqggjmPNAYAraDUQsEEUHrl52Qrw6AVF+xJJDV9QtN8CsQkBcRmQJ9F6G/A2QKLSWH7T1+Bvz/6PGIurPoXsRg2x0tKc7IIM/xXkxjkNHZWdoYsqCKWUjTk6JFfpl8GltkRtKe7291w=',
  ),
  /** cat plain | zstd -19 --check */
  zstdUnsized: bytesOf(
    'KLUv/QRozQcAlpAkEcCnA05YLf9fssmdUkqsqDg3IwAdAB4ArpmVCYJpvtLJQimf6h6yOR+xZ6HCqnKtBkxQHEMwAWIQCRHlJGxfnTZDF5btJ/pOM+ftW7v5SsvtVds2U7N5NUKxpSyw34tYm4X8qWcD1+T3lSxFJF/EkTNlyFONAYDJRVWXCvW3UW2W+id6HZS6/Ypal7N9fWtnNm12qCCOY80BgCtoNRCwQRQeuXnZCvDoBUX7EkkNX1C03wKxCQFxGZAn0Xob8DZAotJYftPX4G/P/o8Yi6s+hexGDbHS0pzsggz/FeTGOQ0dlZ2hiyoIpZSNOTokV+mXwaW2RG0p7vb3XA==',
  ),
  /** cat plain | zstd -19 --no-check */
  zstdUnchecked: bytesOf(
    'KLUv/QBozQcAlpAkEcCnA05YLf9fssmdUkqsqDg3IwAdAB4ArpmVCYJpvtLJQimf6h6yOR+xZ6HCqnKtBkxQHEMwAWIQCRHlJGxfnTZDF5btJ/pOM+ftW7v5SsvtVds2U7N5NUKxpSyw34tYm4X8qWcD1+T3lSxFJF/EkTNlyFONAYDJRVWXCvW3UW2W+id6HZS6/Ypal7N9fWtnNm12qCCOY80BgCtoNRCwQRQeuXnZCvDoBUX7EkkNX1C03wKxCQFxGZAn0Xob8DZAotJYftPX4G/P/o8Yi6s+hexGDbHS0pzsggz/FeTGOQ0dlZ2hiyoIpZSNOTokV+mXwaW2RG0p',
  ),
  /** lz4 -9 -BX --content-size plain: checksums of header, blocks and content */
  lz4: bytesOf(
    'BCJNGHxAlgMAAAAAAADm7QEAAJBldmVudCAwIGEFAFJvZiAwChIAEDESADA5MTkUAEM0OTk5FwAQMhcAMDY3NhcAIzI1FQAQMxUAMDI3MRUAQzUwMjQXABA0FwAyNzA0FwADFQARNVgAIjc1FQAUNFgAEDYXABE4KwAUN1cAEDcUABMzVgAUN1YAETgqABExggAkMTBXABA5FgAyNDM5LQAFrwARMdkAITkw2wAVMbEAETHeACIxOS8AFTGyABEx3wAiMzNdAAW0ACIxM4oAAosAFTG1ABEx4gAhMTK3ABUxuAARMeQAEzfkABUxugARMeUAITI2LwAVMrsAETHoACM1OV4ABrwAAeoAIjc1bAEGvAASORcAArwAFTK8ABEy6wASNusAFTK8ACIyMZ0BAy8ABbwAETLrACI3OV4ABbwAETLrACIxNY0AFTK8ABEy6wAhMzS8ABUzvAARMusAEzPrABYyJwIC6wADLwAFvAARMusAEzleABYzvAAB6wASNI0AFjO8AAHrABM4vAAVM7wAETPrABIx6wAVM7wAEjPWAQMaARUzvAARM+sAAkgBFTS7ACIzMwEBA4wABbsAEjPqAAKmARY05AIJ1QEVNLsAEzPqAAEuAAW6ABEz6QATMTICFjS6ABI4XQABLgAGuQAC0wGwOTkgb2YgNTQ3NAowDlgSAAAAAEfvfmg=',
  ),
}
const skippable = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3)
const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

/** Every byte, two bits of each. */
function* damaged(frame: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < frame.length; at++)
    for (const bit of [1 << (at & 7), 0x80 >> (at % 7)]) {
      const bytes = frame.slice()
      bytes[at]! ^= bit
      yield bytes
    }
}

type Unpack = (bytes: Uint8Array, limit: number) => Uint8Array

function expectNeverWrong(unpack: Unpack, frame: Uint8Array, content: Uint8Array): void {
  let refused = 0
  for (const bytes of damaged(frame)) {
    try {
      expect(Buffer.compare(unpack(bytes, 1e6), content)).toBe(0)
    } catch (error) {
      if (!(error instanceof DatasetFormatError || error instanceof DatasetUnsupportedError)) throw error
      refused++
    }
  }
  expect(refused).toBeGreaterThan(frame.length)
}

describe('zstd', () => {
  it("reads the reference tool's frames, with and without size and checksum", () => {
    for (const name of ['zstdSized', 'zstdUnsized', 'zstdUnchecked'] as const)
      expect(Buffer.compare(zstdDecompress(FRAMES[name], plain.length), plain)).toBe(0)
    expect(() => zstdDecompress(FRAMES.zstdUnsized, plain.length - 1)).toThrow(/holds more bytes, the limit is/)
  })

  it('never gives wrong bytes where there is a checksum, in one frame or several', () => {
    const several = joined(skippable, FRAMES.zstdUnsized, skippable, FRAMES.zstdSized)
    expectNeverWrong(zstdDecompress, FRAMES.zstdSized, plain)
    expectNeverWrong(zstdDecompress, FRAMES.zstdUnsized, plain)
    expectNeverWrong(zstdDecompress, joined(FRAMES.zstdUnsized, FRAMES.zstdSized), joined(plain, plain))
    expect(Buffer.compare(zstdDecompress(several, 1e6), joined(plain, plain))).toBe(0)
  })

  it('says what is wrong', () => {
    const wrong = FRAMES.zstdSized.slice()
    wrong[wrong.length - 1]! ^= 1
    expect(() => zstdDecompress(wrong, 1e6)).toThrow(/content checksum is wrong/)
    expect(() => zstdDecompress(new Uint8Array(0), 1e6)).toThrow(/empty/)
    expect(() => zstdDecompress(joined(FRAMES.zstdSized, Uint8Array.of(1, 2, 3, 4)), 1e6)).toThrow(/after the last one/)
    expect(() => zstdDecompress(FRAMES.zstdSized.slice(0, -1), 1e6)).toThrow(/cut off/)
    // raw block of two bytes in a frame that says three
    const short = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x11, 0, 0, 7, 8)
    expect(() => zstdDecompress(short, 10)).toThrow(/says 3 bytes and holds at most 2/)
    const dictionary = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x21, 5, 1, 9, 0, 0, 7)
    expect(() => zstdDecompress(dictionary, 10)).toThrow(DatasetUnsupportedError)
    // a window of 2 GiB is never taken: 16 bytes of blocks cannot need it
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 0x11, 0, 0, 7, 8)
    expect([...zstdDecompress(window, 10)]).toEqual([7, 8])
  })
})

describe('LZ4', () => {
  it('never gives wrong bytes where there is a checksum, in one frame or several', () => {
    expect(Buffer.compare(lz4Decompress(FRAMES.lz4, plain.length), plain)).toBe(0)
    expectNeverWrong(lz4Decompress, FRAMES.lz4, plain)
    expectNeverWrong(lz4Decompress, lz4Compress(plain), plain)
    const several = joined(skippable, FRAMES.lz4, lz4Compress(plain), skippable)
    expect(Buffer.compare(lz4Decompress(several, 2 * plain.length), joined(plain, plain))).toBe(0)
    expect(() => lz4Decompress(several, 2 * plain.length - 1)).toThrow(/limit/)
  })
})

describe('AEDAT 4.0', () => {
  const size = { width: 34, height: 31 }
  const events = manyEvents(50)

  /** The same file with its only packet in a zstd frame of one raw block, without a table. */
  function asZstd(isChecked: boolean): { readonly file: Uint8Array; readonly start: number } {
    const file = encodeAedat4(size, [events])
    const view = new DataView(file.buffer)
    const start = 18 + view.getUint32(14, true)
    const length = view.getInt32(start + 4, true)
    const packet = file.slice(start + 8, start + 8 + length)
    const block = (length << 3) | 1
    const head = [0x28, 0xb5, 0x2f, 0xfd, isChecked ? 4 : 0, 0x50, block & 255, (block >> 8) & 255, block >> 16]
    const checksum = new Uint8Array(Uint32Array.of(xxHash64(packet).low).buffer)
    const frame = joined(Uint8Array.from(head), packet, isChecked ? checksum : new Uint8Array(0))
    const made = joined(file.subarray(0, start + 4), new Uint8Array(4), frame)
    const out = new DataView(made.buffer)
    out.setInt32(14 + 28, 3, true)
    out.setBigInt64(14 + 32, -1n, true)
    out.setInt32(start + 4, frame.length, true)
    return { file: made, start: start + 8 }
  }

  it('reads a packet whose frame does not say its size', async () => {
    for (const isChecked of [false, true])
      expectSame(await collectEvents(await readAedat4(asZstd(isChecked).file)), events)
  })

  it('never gives wrong events for a damaged packet with a checksum', async () => {
    const { file, start } = asZstd(true)
    let refused = 0
    for (let at = start; at < file.length; at++) {
      const bytes = file.slice()
      bytes[at]! ^= 1 << (at & 7)
      try {
        expectSame(await collectEvents(await readAedat4(bytes)), events)
      } catch (error) {
        expect((error as Error).message).toContain(`the packet at byte ${start - 8}: AEDAT 4: zstd`)
        refused++
      }
    }
    // the window's size is the one byte that may say another thing
    expect(refused).toBeGreaterThanOrEqual(file.length - start - 1)
  })
})
