import { describe, expect, it } from 'vitest'
import { FormatError, MissingKeyError } from '../errors/errors.ts'
import type { KeyFileEntry } from './header.ts'
import { selectKeyFiles, type WantedKeyFile } from './select-key-files.ts'

const entry = (file: string, level: number, galoisElement?: number, bytes = 100): KeyFileEntry => ({
  file,
  kind: galoisElement === undefined ? 'relinearizationKey' : 'galoisKey',
  level,
  ...(galoisElement === undefined ? {} : { galoisElement }),
  bytes,
  sha256: '00'.repeat(32),
})
const wanted: WantedKeyFile[] = [
  { kind: 'relinearizationKey', level: 3, maxBytes: 100 },
  { kind: 'galoisKey', level: 2, galoisElement: 5, maxBytes: 100 },
]
const good = [entry('g', 2, 5), entry('r', 3)]
const names = (entries: readonly KeyFileEntry[]) => selectKeyFiles(entries, wanted, 'keys').map((e) => e.file)

describe('selectKeyFiles', () => {
  it('takes the wanted keys in the order wanted, and passes over the rest, however large or many', () => {
    expect(names(good)).toEqual(['r', 'g'])
    const more = Array.from({ length: 10_000 }, (_, i) => entry(`x${i}`, 90, 2 * i + 7, 2 ** 40))
    const levels = [entry('higher', 3, 5, 2 ** 40), entry('lower', 2), entry('g3', 2, 3, 2 ** 40)]
    expect(names([...more, ...good, ...levels])).toEqual(['r', 'g'])
  })
  it('names a key that is missing, or there at another level only', () => {
    expect(() => names([good[0]!])).toThrow(MissingKeyError)
    expect(() => names([good[0]!])).toThrow(/keys: the plan needs relinearizationKey at level 3/)
    expect(() => names([good[1]!, entry('g', 3, 5)])).toThrow(
      /galoisKey 5 at level 2, which is not listed \(galoisKey 5 at level 3 is, which was made for another\)/,
    )
  })
  it('refuses two files for one key, and sizes that no such key has', () => {
    expect(() => names([...good, entry('other', 2, 5)])).toThrow(FormatError)
    expect(() => names([...good, entry('other', 2, 5)])).toThrow(/listed 2 times, as g, other/)
    expect(() => names([good[1]!, entry('g', 2, 5, 101)])).toThrow(/listed with 101 bytes, .* at most 100/)
  })
})
