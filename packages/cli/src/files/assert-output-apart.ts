/**
 * What a command writes never takes the place of what it reads, nor of a secret key: `encrypt --out` with the key's name would
 * leave nothing that decrypts, `decrypt --out` with the ledger's would make every later publication impossible. Names are compared
 * with their links resolved, and files by what they are, so that a hard link is no second name.
 */
import { lstat } from 'node:fs/promises'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { ledgerPath } from '@he-ml/ckks-core/client/node'
import { assertReplaceable } from '@he-ml/ckks-core/node'
import { liesIn, type Place, placeOf } from './output-place.ts'

/** What else a command touches. */
export interface Touched {
  /** Files that it reads, or writes besides. */
  readonly files?: readonly (string | undefined)[]
  /** Folders that nothing is written into. */
  readonly folders?: readonly string[]
  /** The output is a socket, which judges itself what it may take the place of. */
  readonly socket?: boolean
}

/** @throws InvalidArgumentError; FileSystemError for a folder, a device or a pipe; nothing was written then */
export async function assertOutputApart(
  given: string | undefined,
  { files = [], folders = [], socket = false }: Touched,
): Promise<void> {
  if (given === undefined) return
  const out = await placeOf(given)
  for (const file of files) {
    if (file === undefined || !same(out, await placeOf(file))) continue
    throw new InvalidArgumentError(`${given} is ${file}, which this command needs: give the output another name`)
  }
  for (const folder of folders)
    if (liesIn(out, await placeOf(folder)))
      throw new InvalidArgumentError(`${given} lies in ${folder}, which holds evaluation keys alone: give another name`)
  await assertNoSecret(out)
  if (!socket) await assertReplaceable(given)
}

/** Whatever has a ledger beside it is a secret key, and what is named like one is one. */
async function assertNoSecret({ given, real, found }: Place): Promise<void> {
  if (!found) return
  const beside = await lstat(ledgerPath(real)).catch(() => undefined)
  if (beside || real.endsWith(ledgerPath('')))
    throw new InvalidArgumentError(
      `${given} exists and is ${beside ? 'a secret key with its ledger' : 'the ledger of a secret key'}: give the output another name`,
    )
}

const same = (a: Place, b: Place): boolean =>
  a.real === b.real || (a.found !== undefined && a.found.ino === b.found?.ino && a.found.dev === b.found.dev)
