/**
 * The three things that keygen makes, judged before any of them is made: a place is refused when something is there, when two
 * of them are one or lie in one another, or when nothing can be written. The secret key is worth the care: a public key
 * written over it loses every ciphertext, and a secret key in the evaluation folder goes to the server.
 */
import { readdir } from 'node:fs/promises'
import { FileSystemError, InvalidArgumentError } from '@he-ml/ckks-core'
import { onFile } from '@he-ml/ckks-core/node'
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
  assertApart(secret, evaluation, publicKey)
  assertNoFolder(secret)
  if (secret.found && !reuse)
    throw new InvalidArgumentError(
      `${secret.given} exists: give another name, or --reuse to make evaluation keys for it`,
    )
  if (publicKey?.found) {
    assertNoFolder(publicKey)
    throw new InvalidArgumentError(`${publicKey.given} exists: give --public another name, or remove it first`)
  }
  await assertFolder(evaluation, reuse)
  for (const place of [secret, evaluation, ...(publicKey ? [publicKey] : [])]) await assertCanMake(place)
  return { secret, evaluation, ...(publicKey ? { publicKey } : {}) }
}

function assertApart(secret: Place, evaluation: Place, publicKey: Place | undefined): void {
  if (liesIn(secret, evaluation))
    throw new InvalidArgumentError(
      `${secret.given} lies in ${evaluation.given}, the folder that the server gets: keep the secret key elsewhere`,
    )
  if (publicKey && liesIn(publicKey, evaluation))
    throw new InvalidArgumentError(
      `--public ${publicKey.given} lies in ${evaluation.given}: that folder holds evaluation keys alone`,
    )
  // a file cannot hold the others, and two files need two names
  for (const file of publicKey ? [secret, publicKey] : [secret])
    for (const other of publicKey ? [secret, publicKey, evaluation] : [evaluation])
      if (other !== file && liesIn(other, file))
        throw new InvalidArgumentError(
          other.real === file.real
            ? `${other.given} and ${file.given} are the same place: every key needs a name of its own`
            : `${other.given} lies in ${file.given}, which is to be a file: give another name`,
        )
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
