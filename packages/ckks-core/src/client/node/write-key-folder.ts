/**
 * The evaluation keys of a request as a folder: one file per key, a manifest last, so that a folder that has one is complete. While
 * one key is on its way to the disk the next is being made, and what a run that was broken off left behind is used again.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CancelledError, FileSystemError, HeMlError, InvalidArgumentError } from '../../errors/errors.ts'
import type { KeyFileEntry } from '../../format/header.ts'
import { writeFileAtomic } from '../../node/atomic-file.ts'
import { openContainerFile } from '../../node/container-file.ts'
import { KEY_SET_FILE, writeKeySet } from '../../node/key-set-file.ts'
import { onFile, systemError } from '../../node/system-error.ts'
import { type KeyNeed, type KeyRequest, KeyRequestBuilder, listKeyNeeds } from '../../port/keys.ts'
import type { ClientEngine, KeyFile, KeyGenerationOptions } from '../client-engine.ts'
import { type KeyHeader, keyFileName, keyHeader } from '../key-header.ts'
import { keyFileEntry } from '../key-offer.ts'
import type { SecretKey } from '../secret-key.ts'
import { lockFolder } from './lock-file.ts'

export interface WriteKeyFolderOptions extends KeyGenerationOptions {
  /**
   * Called once, when the first key that is missing has been made and before anything is written: what is wrong with a request
   * shows before. Whoever stores the secret key does it here.
   */
  readonly beforeWriting?: () => Promise<void>
}

/** What is in the folder afterwards. */
export interface WrittenKeys {
  /** Keys in the set. */
  readonly keys: number
  /** How many of them were there before. */
  readonly reused: number
  /** Bytes of all key files. */
  readonly bytes: number
}

/**
 * Makes the keys of a request and writes them to a folder, which is made when needed. Each file appears whole or not at all. Key
 * files that are there already are kept when they are whole (checksum included) and say that they are the same key: secret key,
 * plan, level, parameters; so a run that was cancelled or killed goes on where it stopped. Their residues are not checked again; an
 * engine does that when it loads them. Files of engines that do not name these (SEAL's) are made again. Other files in the folder
 * stay.
 *
 * One process at a time writes to the folder. It is for the server: the secret key's own file must not lie in it.
 *
 * @param options.onProgress after each key, those that were there included
 * @throws InvalidArgumentError when another process writes to the folder, or has written while the first key was being made; CancelledError
 *   through the signal; SecurityError; the file system's errors. What was written stays
 */
export async function writeKeyFolder(
  client: ClientEngine,
  secretKey: SecretKey,
  request: KeyRequest,
  folder: string,
  options: WriteKeyFolderOptions = {},
): Promise<WrittenKeys> {
  const { onProgress, signal, beforeWriting, ...provenance } = options
  const { parameters } = client
  const ids = { keyId: secretKey.keyId, ...provenance }
  const needs = listKeyNeeds(request).map((need) => ({ need, header: keyHeader(parameters, need, ids) }))
  const entries: (KeyFileEntry | undefined)[] = []
  const names = await namesIn(folder)
  for (const { header } of needs) {
    throwIfAborted(signal, `key generation: cancelled after ${entries.length} of ${needs.length} keys`)
    entries.push(await existing(client, folder, header, signal))
  }
  const reused = entries.filter((entry) => entry !== undefined).length
  let done = 0
  const report = (): void => onProgress?.(++done, needs.length)
  const missing = needs.filter((_, i) => entries[i] === undefined).map(({ need }) => need)
  const source = client.generateEvaluationKeys(secretKey, requestOf(missing), {
    ...provenance,
    ...(signal ? { signal } : {}),
  })
  const keys = oneAhead(source)
  try {
    const first = await keys.next()
    await inFolder(folder, names, async () => {
      await beforeWriting?.()
      if (missing.length > 0) await onFile(folder, rm(join(folder, KEY_SET_FILE), { force: true }))
      for (let i = 0; i < reused; i++) report()
      for (let key = first; !key.done; key = await keys.next()) {
        entries[entries.indexOf(undefined)] = await writeKey(folder, key.value)
        report()
      }
      await writeKeySet(folder, parameters, ids, entries as KeyFileEntry[])
    })
  } finally {
    await keys.return(undefined)
  }
  const listed = entries as KeyFileEntry[]
  return { keys: listed.length, reused, bytes: listed.reduce((sum, entry) => sum + entry.bytes, 0) }
}

/** What is in the folder, of nobody's who is writing. */
async function namesIn(folder: string): Promise<string> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw systemError(error, folder)
  })
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .join('\n')
}

/** Writes to the folder, alone, if it is as it was. One that was made for nothing is removed again. */
async function inFolder(folder: string, names: string, write: () => Promise<void>): Promise<void> {
  const made = await onFile(folder, mkdir(folder, { recursive: true }))
  try {
    await lockFolder(folder, async () => {
      if ((await namesIn(folder)) !== names)
        throw new InvalidArgumentError(`${folder}: somebody else has written there meanwhile: name another folder`)
      await write()
    })
  } catch (error) {
    // fails where anything is in it
    if (made !== undefined) await rmdir(folder).catch(() => {})
    throw error
  }
}

function requestOf(needs: readonly KeyNeed[]): KeyRequest {
  const builder = new KeyRequestBuilder()
  for (const need of needs) builder.add(need)
  return builder.build()
}

/** The entry of a whole file that is this very key; undefined for anything else. */
async function existing(
  client: ClientEngine,
  folder: string,
  wanted: KeyHeader,
  signal: AbortSignal | undefined,
): Promise<KeyFileEntry | undefined> {
  const name = keyFileName(wanted)
  try {
    await using file = await openContainerFile(join(folder, name), { kind: wanted.kind, parameters: client.parameters })
    const { segments, insecure, ...header } = file.header
    if (!sameFields(header, wanted)) return undefined
    const hash = await file.verify(signal ? { signal } : {})
    return {
      file: name,
      kind: wanted.kind,
      level: wanted.level,
      ...(wanted.kind === 'galoisKey' ? { galoisElement: wanted.galoisElement } : {}),
      ...(wanted.kind === 'encapsulationKey' && wanted.raising ? { raising: wanted.raising } : {}),
      bytes: file.layout.totalBytes,
      sha256: hash,
    }
  } catch (error) {
    throwIfAborted(signal, 'key generation: cancelled while an existing key was checked')
    const refused = error instanceof FileSystemError && error.systemCode !== 'ENOENT'
    if (error instanceof HeMlError && !refused) return undefined
    throw error
  }
}

/** Same fields with the same values; all of them are numbers, strings, booleans and lists of such. */
function sameFields(a: object, b: object): boolean {
  const [x, y] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  return x.size === y.size && [...x].every(([name, value]) => JSON.stringify(y.get(name)) === JSON.stringify(value))
}

async function writeKey(folder: string, key: KeyFile): Promise<KeyFileEntry> {
  await writeFileAtomic(join(folder, key.name), key.bytes)
  return keyFileEntry(key)
}

/** Asks for the next item before handing out the last one. */
async function* oneAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T, undefined> {
  const source = items[Symbol.asyncIterator]()
  let coming = source.next()
  try {
    for (let item = await coming; !item.done; item = await coming) {
      coming = source.next()
      // awaited above or below; the consumer's own failure may come first
      coming.catch(() => {})
      yield item.value
    }
  } finally {
    await coming.catch(() => {})
    await source.return?.(undefined)
  }
}

function throwIfAborted(signal: AbortSignal | undefined, message: string): void {
  if (signal?.aborted) throw new CancelledError(message, { cause: signal.reason })
}
