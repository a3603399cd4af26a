/** A client's folder and a server's have nothing to do with each other: one holds the secret key, the other goes away. */
import { lstat, readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { FormatError, InvalidArgumentError, isSecretKeyStart, MissingKeyError } from '@he-ml/ckks-core'
import type { ClientEngine } from '@he-ml/ckks-core/client'
import { KEY_SET_FILE, onFile, openContainerFile, readKeySet } from '@he-ml/ckks-core/node'
import { parametersOf } from '@he-ml/pipeline'
import { KEYS_FOLDER, PLAN_FILE, readPlanFile } from '../../files/plan-file.ts'
import { isSecretName, secretIn } from '../../files/secret-in.ts'
import type { ClientSession } from '../client-session.ts'
import { isThere } from './is-there.ts'

/**
 * A folder with a plan and keys is a server's, unless a secret key lies in it somewhere: then it is where somebody works, with all that there is.
 *
 * @throws InvalidArgumentError for a folder that is, or lies in, one of evaluation keys or one that a server gets; FileSystemError
 */
export async function assertNotServers(folder: string): Promise<void> {
  for (let path = await realOf(folder); ; path = dirname(path)) {
    const keys = await isThere(join(path, KEY_SET_FILE))
    const whole = (await isThere(join(path, PLAN_FILE))) && (await isThere(join(path, KEYS_FOLDER)))
    if (keys || (whole && (await secretIn(path)) === undefined))
      throw new InvalidArgumentError(
        `${folder} lies in ${path}, a folder that a server gets: keep the secret key elsewhere`,
      )
    if (path === dirname(path)) return
  }
}

/** @throws InvalidArgumentError for a folder that holds a secret key or a ledger at any depth, or whose keys lead elsewhere; FileSystemError */
export async function assertNoSecretIn(folder: string): Promise<void> {
  const keys = join(folder, KEYS_FOLDER)
  if ((await lstat(keys).catch(() => undefined))?.isSymbolicLink())
    throw new InvalidArgumentError(`${keys} is a link: the keys must lie in the server's own folder`)
  const found = await secretIn(folder)
  if (found !== undefined)
    throw new InvalidArgumentError(
      `${folder} holds a secret key (${found}): the server's folder goes away, name one of its own`,
    )
}

/** @throws InvalidArgumentError for a folder with another plan, or keys of another secret key, finished or not: nothing is written over; FormatError for a damaged plan */
export async function assertNobodysElse(folder: string, { plan, secret }: ClientSession): Promise<void> {
  if (await isThere(join(folder, PLAN_FILE))) {
    const other = await readPlanFile(folder)
    if (other.id !== plan.id)
      throw new InvalidArgumentError(`${folder} is a server's of plan ${other.id}, got plan ${plan.id}: name another`)
  }
  const keys = join(folder, KEYS_FOLDER)
  if (!(await isThere(keys))) return
  for await (const keyId of ownersOf(keys, parametersOf(plan)))
    if (keyId !== secret.keyId)
      throw new InvalidArgumentError(
        `${keys} holds keys of another secret key, ${keyId}; this client's is ${secret.keyId}: name another folder`,
      )
}

/** The secret keys that evaluation keys belong to, where they say so: of the whole set, or of each file of an unfinished one. */
async function* ownersOf(keys: string, parameters: ReturnType<typeof parametersOf>): AsyncGenerator<string> {
  try {
    const { header } = await readKeySet(keys, parameters)
    if (header.keyId !== undefined) yield header.keyId
    return
  } catch (error) {
    if (!(error instanceof MissingKeyError || error instanceof FormatError)) throw error
  }
  for (const name of await onFile(keys, readdir(keys))) {
    const keyId = await ownerOf(join(keys, name))
    if (keyId !== undefined) yield keyId
  }
}

async function ownerOf(file: string): Promise<string | undefined> {
  try {
    await using container = await openContainerFile(file)
    return 'keyId' in container.header ? container.header.keyId : undefined
  } catch {
    // damaged ones are made again, others are left alone
    return undefined
  }
}

/** @throws InvalidArgumentError for what bears the name of a secret key or is one: of any plan, or of this engine's form */
export async function assertNoSecretFile(engine: ClientEngine, name: string, bytes: Uint8Array): Promise<void> {
  if (isSecretName(name) || isSecretKeyStart(bytes) || (await isSecret(engine, bytes)))
    throw new InvalidArgumentError(`writeServerFolder: "${name}" is a secret key: the server's folder goes away`)
}

/** Whatever the engine itself takes for one. */
async function isSecret(engine: ClientEngine, bytes: Uint8Array): Promise<boolean> {
  try {
    using _ = await engine.importSecretKey(bytes)
    return true
  } catch {
    return false
  }
}

/** With the links of what is there resolved. */
async function realOf(path: string): Promise<string> {
  const whole = resolve(path)
  const real = await realpath(whole).catch(() => undefined)
  return real ?? (dirname(whole) === whole ? whole : join(await realOf(dirname(whole)), basename(whole)))
}
