/** At least 10,000 damaged files over all kinds: each ends in a typed error, none in a crash, none is accepted unchanged. */
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError, HeMlError } from '../errors/errors.ts'
import { parseContainer } from './container.ts'
import type { FileKind } from './header.ts'
import { validateSegments } from './residues.ts'
import { sampleFile, sampleParameters, samples } from './testing/samples.ts'

const kinds = Object.keys(samples) as FileKind[]
const files = new Map(kinds.map((kind) => [kind, sampleFile(kind)]))
const parameters = sampleParameters

/** 'ok' when accepted; rethrows anything that is not a typed error. */
function attempt(file: Uint8Array): HeMlError | 'ok' {
  try {
    validateSegments(parseContainer(file, { parameters }), parameters)
    return 'ok'
  } catch (error) {
    if (error instanceof HeMlError) return error
    throw error
  }
}
function reseal(file: Uint8Array): Uint8Array {
  if (file.length >= 32) file.set(sha256(file.subarray(0, -32)), file.length - 32)
  return file
}

describe('damaged files', () => {
  let cases = 0

  it.each(kinds)('%s: cut at every offset of the first 4 KiB, and sparsely behind', (kind) => {
    const file = files.get(kind)!
    for (let length = 0; length < file.length; length += length < 4096 ? 1 : 499) {
      cases++
      expect(attempt(file.subarray(0, length)), `cut to ${length}`).toBeInstanceOf(FormatError)
    }
  })

  it.each(kinds)('%s: one bit flipped in every byte of the first 1.5 KiB, and sparsely behind', (kind) => {
    const file = files.get(kind)!.slice()
    for (let at = 0; at < file.length; at += at < 1536 ? 1 : 199) {
      cases++
      const bit = 1 << ((at * 5) % 8)
      file[at]! ^= bit
      expect(attempt(file), `byte ${at}`).toBeInstanceOf(HeMlError)
      file[at]! ^= bit
    }
  })

  it.each(kinds)('%s: every header byte changed in 3 ways, checksum made right again', (kind) => {
    const original = files.get(kind)!
    const end = 16 + new DataView(original.buffer, original.byteOffset).getUint32(8, true)
    for (let at = 0; at < end; at++) {
      for (const bit of [0, 3, 6].map((b) => (b + at) % 8)) {
        cases++
        const file = original.slice()
        file[at]! ^= 1 << bit
        const outcome = attempt(reseal(file))
        // some changes make another valid file (a name, a scale); then it says what it says, consistently
        if (outcome === 'ok') expect(parseContainer(file, { parameters }).header.parameters).toBe(parameters.id)
      }
    }
  })

  it('random bytes, splices and growth', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.nat(),
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom('overwrite', 'insert', 'append', 'replace'),
        fc.boolean(),
        (kind, where, bytes, how, sealed) => {
          cases++
          const file = files.get(kind)!
          const at = where % Math.min(file.length, 2048)
          const changed =
            how === 'replace'
              ? bytes
              : how === 'append'
                ? Buffer.concat([file, bytes])
                : Buffer.concat([
                    file.subarray(0, at),
                    bytes,
                    file.subarray(at + (how === 'insert' ? 0 : bytes.length)),
                  ])
          const copy = new Uint8Array(changed)
          const outcome = attempt(sealed ? reseal(copy) : copy)
          if (outcome === 'ok' && !sealed) expect([...copy]).toEqual([...file])
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('were at least 10,000', () => {
    expect(cases).toBeGreaterThanOrEqual(10_000)
  })
})
