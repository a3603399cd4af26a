/**
 * A key set written to a folder, key by key: while one is on its way to the disk, the next is being made. What a run that was
 * broken off left behind is used again.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  FileSystemError,
  HeMlError,
  type KeyFileEntry,
  type KeyNeed,
  type KeyRequest,
  KeyRequestBuilder,
  listKeyNeeds,
} from '@he-ml/ckks-core'
import type { KeyGenerationOptions, SecretKey } from '@he-ml/ckks-core/client'
import { openContainerFile, writeContainerFile } from '@he-ml/ckks-core/node'
import { throwIfAborted } from '../errors.ts'
import { KEY_SET_FILE } from '../keys/key-set-file.ts'
import { type KeyHeader, keyFileName, keyHeader } from './key-header.ts'
import type { KeySegments, NativeClient } from './native-client.ts'

const PIECE = 4 * 2 ** 20

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
 * Makes the keys of a request and writes them to a folder, with the manifest last: a folder without manifest is not complete.
 * Each file appears whole or not at all. Key files that are there already are kept when they are whole (checksum included)
 * and say that they are the same key: secret key, plan, level, parameters; so a run that was cancelled or killed goes on where
 * it stopped. Their residues are not checked again; an engine does that when it loads them. Other files in the folder stay.
 *
 * The folder is for the server: the secret key's own file must not lie in it.
 *
 * @param options.onProgress after each key, those that were there included
 * @throws CancelledError through the signal; SecurityError; the file system's errors. What was written stays
 */
export async function writeEvaluationKeys(
  client: NativeClient,
  secretKey: SecretKey,
  request: KeyRequest,
  folder: string,
  options: KeyGenerationOptions = {},
): Promise<WrittenKeys> {
  const { onProgress, signal, ...provenance } = options
  const { parameters } = client
  const ids = { keyId: secretKey.keyId, ...provenance }
  const needs = listKeyNeeds(request).map((need) => ({ need, header: keyHeader(parameters, need, ids) }))
  const entries = new Map<string, KeyFileEntry>()
  const missing: KeyNeed[] = []
  const take = (entry: KeyFileEntry): void => {
    entries.set(entry.file, entry)
    onProgress?.(entries.size, needs.length)
  }
  await mkdir(folder, { recursive: true })
  for (const { need, header } of needs) {
    throwIfAborted(signal, `key generation: cancelled after ${entries.size} of ${needs.length} keys`)
    const entry = await existing(client, folder, header, signal)
    if (entry) take(entry)
    else missing.push(need)
  }
  const reused = entries.size
  if (missing.length > 0) await rm(join(folder, KEY_SET_FILE), { force: true })
  const keys = client.generateKeySegments(secretKey, requestOf(missing), {
    ...provenance,
    ...(signal ? { signal } : {}),
  })
  for await (const key of oneAhead(keys)) take(await writeKey(client, folder, key))
  const listed = needs.map(({ header }) => entries.get(keyFileName(header))!)
  const manifest = { kind: 'keySet', parameters: parameters.id, ...ids, keys: listed } as const
  await writeContainerFile(join(folder, KEY_SET_FILE), manifest, [], { parameters })
  return { keys: listed.length, reused, bytes: listed.reduce((sum, entry) => sum + entry.bytes, 0) }
}

function requestOf(needs: readonly KeyNeed[]): KeyRequest {
  const builder = new KeyRequestBuilder()
  for (const need of needs) builder.add(need)
  return builder.build()
}

const entryOf = (header: KeyHeader, file: string, bytes: number, sha256: string): KeyFileEntry => ({
  file,
  kind: header.kind,
  level: header.level,
  ...(header.kind === 'galoisKey' ? { galoisElement: header.galoisElement } : {}),
  bytes,
  sha256,
})

/** The entry of a whole file that is this very key; undefined for anything else. */
async function existing(
  client: NativeClient,
  folder: string,
  wanted: KeyHeader,
  signal: AbortSignal | undefined,
): Promise<KeyFileEntry | undefined> {
  const name = keyFileName(wanted)
  try {
    await using file = await openContainerFile(join(folder, name), { kind: wanted.kind, parameters: client.parameters })
    const { segments, insecure, ...header } = file.header
    if (!sameFields(header, wanted)) return undefined
    const sha256 = await file.verify(signal ? { signal } : {})
    return entryOf(wanted, name, file.layout.totalBytes, sha256)
  } catch (error) {
    throwIfAborted(signal, 'key generation: cancelled while an existing key was checked')
    const refused = error instanceof FileSystemError && error.systemCode !== 'ENOENT'
    if (error instanceof HeMlError && !refused) return undefined
    throw error
  }
}

/** Same fields with the same values; all of them are numbers, strings and booleans. */
function sameFields(a: object, b: object): boolean {
  const [x, y] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  return x.size === y.size && [...x].every(([name, value]) => y.get(name) === value)
}

async function writeKey(client: NativeClient, folder: string, key: KeySegments): Promise<KeyFileEntry> {
  const { name, header, segments } = key
  const sources = segments.map((segment) => ({ bytes: segment.length, chunks: pieces(segment) }))
  const { parameters } = client
  const { bytes, sha256 } = await writeContainerFile(join(folder, name), header, sources, { parameters })
  return entryOf(header, name, bytes, sha256)
}

/** Small enough that hashing one does not hold the event loop for long. */
function* pieces(segment: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < segment.length; at += PIECE) yield segment.subarray(at, at + PIECE)
}

/** Asks for the next item before handing out the last one. */
async function* oneAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
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
    await source.return(undefined)
  }
}
