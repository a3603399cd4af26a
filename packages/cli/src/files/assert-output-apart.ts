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
export async function assertOutputApart(given: string | undefined, touched: Touched): Promise<void> {
  if (given !== undefined) await (await outputJudge(touched))(given)
}

/**
 * The same for many outputs of one command: what it touches is looked at once.
 * @returns what throws as {@link assertOutputApart} does
 */
export async function outputJudge({
  files = [],
  folders = [],
  socket = false,
}: Touched): Promise<(given: string) => Promise<void>> {
  const byName = new Map<string, string>()
  for (const file of files)
    if (file !== undefined) for (const name of namesOf(await placeOf(file))) byName.set(name, file)
  const closed = await Promise.all(folders.map((folder) => placeOf(folder)))
  return async (given) => {
    const out = await placeOf(given)
    const file = namesOf(out)
      .map((name) => byName.get(name))
      .find((same) => same !== undefined)
    if (file !== undefined)
      throw new InvalidArgumentError(`${given} is ${file}, which this command needs: give the output another name`)
    const folder = closed.find((place) => liesIn(out, place))
    if (folder)
      throw new InvalidArgumentError(
        `${given} lies in ${folder.given}, which holds evaluation keys alone: give another name`,
      )
    await assertNoSecret(out)
    if (!socket) await assertReplaceable(given)
  }
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

/** By which two places are one: the path, and for what is there the file itself, which may have several. */
const namesOf = ({ real, found }: Place): string[] => [real, ...(found ? [`${found.dev}:${found.ino}`] : [])]
