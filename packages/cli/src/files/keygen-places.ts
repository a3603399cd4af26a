/**
 * The things that keygen makes (the secret key brings its ledger), judged before any of them is made: a place is refused when
 * something is there, when two of them are one or lie in one another, or when nothing can be written. The secret key is worth
 * the care: a public key written over it loses every ciphertext, and a secret key in the evaluation folder goes to the
 * server.
 */
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileSystemError, InvalidArgumentError } from '@he-ml/ckks-core'
import { ledgerPath } from '@he-ml/ckks-core/client/node'
import { onFile } from '@he-ml/ckks-core/node'
import { assertNotServers } from '@he-ml/session/client/node'
import { assertCanMake, liesIn, type Place, placeOf } from './output-place.ts'

export interface KeygenPaths {
  readonly secret: string
  readonly evaluation: string
  readonly public?: string
  /** The secret key is there and is used; the evaluation folder may be there, unfinished. */
  readonly reuse?: boolean
}

export interface KeygenPlaces {
  readonly secret: Place
  readonly evaluation: Place
  readonly publicKey?: Place
}

/** @throws InvalidArgumentError, FileSystemError; nothing was made then */
export async function judgePlaces(paths: KeygenPaths): Promise<KeygenPlaces> {
  const { reuse = false } = paths
  const secret = await placeOf(paths.secret)
  const evaluation = await placeOf(paths.evaluation)
  const publicKey = paths.public === undefined ? undefined : await placeOf(paths.public)
  const ledger = await placeOf(ledgerPath(paths.secret))
  // another process could hold it at any time
  const lock = await placeOf(`${ledger.given}.lock`)
  assertApart([secret, ledger, lock, ...(publicKey ? [publicKey] : [])], evaluation)
  assertNoFolder(secret)
  await assertNotServers(dirname(secret.real))
  if (secret.found && !reuse)
    throw new InvalidArgumentError(
      `${secret.given} exists: give another name, or --reuse to make evaluation keys for it`,
    )
  if (ledger.found && !secret.found)
    throw new InvalidArgumentError(
      `${ledger.given} exists, the ledger of a key that was in ${secret.given}: put the key back, give another name, or, where the key is lost, move the ledger away: mv ${ledger.given} ${ledger.given}.old`,
    )
  if (publicKey?.found) {
    assertNoFolder(publicKey)
    throw new InvalidArgumentError(`${publicKey.given} exists: give --public another name, or remove it first`)
  }
  // what is there was made with the key that is there
  await assertFolder(evaluation, reuse && secret.found !== undefined)
  for (const place of [secret, evaluation, ...(publicKey ? [publicKey] : [])]) await assertCanMake(place)
  return { secret, evaluation, ...(publicKey ? { publicKey } : {}) }
}

/**
 * Who gives a server its folder gives the whole of it; the folder that one works in holds everything and is given to nobody.
 * @returns what is to be warned of, where the evaluation keys' own folder has the secret key in it
 */
export async function secretBeside({ secret, evaluation }: KeygenPlaces): Promise<string | undefined> {
  const parent = await placeOf(dirname(evaluation.real))
  if (!liesIn(secret, parent) || liesIn(await placeOf('.'), parent)) return undefined
  return `${secret.given} lies in ${parent.real}, as the evaluation keys do: whoever is given that folder has the secret key; give the server ${evaluation.given} alone, or keep the secret key in a folder of its own`
}

function assertApart(files: readonly Place[], evaluation: Place): void {
  for (const [i, file] of files.entries()) {
    if (liesIn(file, evaluation))
      throw new InvalidArgumentError(
        i < 3
          ? `${file.given} lies in ${evaluation.given}, the folder that the server gets: keep the secret key elsewhere`
          : `--public ${file.given} lies in ${evaluation.given}: that folder holds evaluation keys alone`,
      )
    // a file cannot hold the others, and two files need two names
    for (const other of [...files, evaluation])
      if (other !== file && liesIn(other, file))
        throw new InvalidArgumentError(
          other.real === file.real
            ? `${other.given} and ${file.given} are the same place: every key needs a name of its own`
            : `${other.given} lies in ${file.given}, which is to be a file: give another name`,
        )
  }
}

function assertNoFolder({ given, found }: Place): void {
  if (found?.isDirectory()) throw new FileSystemError(given, 'EISDIR', 'expected a file, got a folder')
  if (found && !found.isFile()) throw new InvalidArgumentError(`${given}: expected an ordinary file: give another name`)
}

async function assertFolder({ given, real, found }: Place, reuse: boolean): Promise<void> {
  if (!found) return
  if (!found.isDirectory()) throw new FileSystemError(given, 'ENOTDIR', 'expected a folder, got a file')
  if (!reuse && (await onFile(given, readdir(real))).length > 0)
    throw new InvalidArgumentError(
      `${given} exists and is not empty: give another folder, or --reuse to make the keys of an unfinished one complete`,
    )
}
