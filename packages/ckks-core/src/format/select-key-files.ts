/**
 * Which files of a key set are read. The set comes from outside, the wishes from the plan: a server reads what the plan asks for
 * and nothing else, so a set may list more (another plan's keys, a public key, ten thousand keys of a hostile client) without
 * costing a byte. Entries are compared by kind, element and level; sizes against what such a key can have.
 */
import { FormatError, MissingKeyError } from '../errors/errors.ts'
import type { KeyFileEntry } from './header.ts'

/** A key that is wanted, and the most its file may have. */
export interface WantedKeyFile {
  /** Which key. */
  readonly kind: KeyFileEntry['kind']
  /** Highest level of its uses. Keys are made for a plan, so one of exactly this level is looked for. */
  readonly level: number
  /** Of Galois keys only. */
  readonly galoisElement?: number
  /** Of encapsulation keys only: the Galois elements that it has, no more and no fewer. */
  readonly raising?: readonly number[]
  /** Largest file that can make sense. */
  readonly maxBytes: number
}

const nameOf = ({ kind, level, galoisElement, raising }: KeyFileEntry | WantedKeyFile): string =>
  [
    kind,
    ...(galoisElement === undefined ? [] : [galoisElement]),
    ...(raising === undefined ? [] : [`with the elements ${[...raising].sort((a, b) => a - b).join(', ')}`]),
    `at level ${level}`,
  ].join(' ')

/**
 * The entries for the wanted keys, in their order; everything else is passed over.
 *
 * @param where the manifest, for messages
 * @throws MissingKeyError naming the first key that is not listed; FormatError when it is listed twice or too large
 */
export function selectKeyFiles(
  entries: readonly KeyFileEntry[],
  wanted: readonly WantedKeyFile[],
  where: string,
): KeyFileEntry[] {
  const listed = new Map<string, KeyFileEntry[]>()
  for (const entry of entries) {
    const name = nameOf(entry)
    const same = listed.get(name)
    if (same) same.push(entry)
    else listed.set(name, [entry])
  }
  return wanted.map((want) => {
    const name = nameOf(want)
    const found = listed.get(name) ?? []
    if (found.length === 0)
      throw new MissingKeyError(
        `${where}: the plan needs ${name}, which is not listed${otherwiseListed(entries, want)}: make the keys for this plan`,
      )
    if (found.length > 1)
      throw new FormatError(
        `${where}: ${name} is listed ${found.length} times, as ${found.map((e) => e.file).join(', ')}`,
      )
    assertKeyFileSize(found[0]!, want.maxBytes, where)
    return found[0]!
  })
}

/** The same key of another level or with other elements, made for another plan. */
function otherwiseListed(entries: readonly KeyFileEntry[], { kind, galoisElement }: WantedKeyFile): string {
  const other = entries.find((e) => e.kind === kind && e.galoisElement === galoisElement)
  return other === undefined ? '' : ` (${nameOf(other)} is, which was made for another)`
}

/** @throws FormatError for an entry that says more bytes than such a key has */
function assertKeyFileSize(entry: KeyFileEntry, maxBytes: number, where: string): void {
  if (entry.bytes > maxBytes)
    throw new FormatError(
      `${where}: ${entry.file} is listed with ${entry.bytes} bytes, a ${nameOf(entry)} has at most ${maxBytes}`,
    )
}
