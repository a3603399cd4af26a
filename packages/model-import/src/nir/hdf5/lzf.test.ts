import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unpackLzf } from './lzf.ts'

const unpack = (input: number[], length: number) => {
  const output = unpackLzf(Uint8Array.from(input), length)
  return output && [...output]
}

describe('LZF', () => {
  it('copies literals, near and far, with overlap', () => {
    expect(unpack([2, 7, 8, 9], 3)).toEqual([7, 8, 9])
    // three bytes from one back; then four from four back
    expect(unpack([0, 5, 0x20, 0], 4)).toEqual([5, 5, 5, 5])
    expect(unpack([3, 1, 2, 3, 4, 0x40, 3], 8)).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
    // a long copy: 7 + 1 + 2 bytes; a far one: 256 + 0 + 1 back
    expect(unpack([1, 6, 7, 0xe0, 1, 1], 12)).toEqual([6, 7, 6, 7, 6, 7, 6, 7, 6, 7, 6, 7])
    const literals = Array.from({ length: 9 }, (_, i) => [31, ...new Array<number>(32).fill(i)]).flat()
    expect(unpack([...literals, 0x21, 0], 291)?.slice(288)).toEqual([0, 1, 1])
  })

  it('says when the input does not give exactly the length', () => {
    for (const [input, length] of [
      [[2, 7, 8], 3],
      [[2, 7, 8, 9], 4],
      [[2, 7, 8, 9], 2],
      [[0, 5, 0x20], 4],
      [[0, 5, 0x20, 1], 4],
      [[0, 5, 0xe0], 12],
      [[0, 5, 0x40, 0], 4],
    ] as const)
      expect(unpack([...input], length), `${input}`).toBeUndefined()
    expect(unpack([], 0)).toEqual([])
  })

  it('never leaves its output, whatever comes in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(300), (input, length) => {
        expect([undefined, length]).toContain(unpackLzf(input, length)?.length)
      }),
      { numRuns: 3000 },
    )
  })
})
