/**
 * A key set as it arrives: the files that the plan needs, one after another, in chunks. Nothing is taken that was not asked for, no
 * file grows beyond what is listed, and each is compared with its SHA-256 before it counts.
 */
import {
  FormatError,
  type KeyFileEntry,
  type KeySource,
  ParameterMismatchError,
  selectKeyFiles,
  sha256,
  toHex,
} from '@he-ml/ckks-core'
import type { BoundPlan } from '@he-ml/pipeline'
import type { HeaderOf } from '../protocol/messages.ts'
import type { ServerSession } from './server-session.ts'

/** Where a server keeps what arrives. */
export interface KeyDepot {
  /** A whole file whose size and hash are right. */
  put(entry: KeyFileEntry, bytes: Uint8Array): Promise<void>
  /** All are there: where they can be opened. */
  finish(ids: { readonly keyId: string; readonly plan: string }): Promise<KeySource>
}

/** Keeps files in memory. */
export function memoryDepot(): KeyDepot {
  const files: Uint8Array[] = []
  return {
    async put(_, bytes) {
      files.push(bytes)
    },
    async finish({ keyId }) {
      return { kind: 'memory', files, keyId }
    },
  }
}

/** See above. */
export class KeyReceiver {
  readonly #depot: KeyDepot
  readonly #ids: { readonly keyId: string; readonly plan: string }
  readonly #missing: KeyFileEntry[]
  #current: { readonly bytes: Uint8Array; done: number } | undefined

  /** @throws ParameterMismatchError for another plan; MissingKeyError, FormatError for a set that does not hold the plan's keys */
  constructor(session: ServerSession, set: HeaderOf<'keySet'>, depot: KeyDepot) {
    const { plan, parameters }: Pick<BoundPlan, 'plan' | 'parameters'> = session.bound
    same('plan', plan.id, set.plan)
    same('parameters', parameters.id, set.parameters)
    this.#depot = depot
    this.#ids = { keyId: set.keyId, plan: set.plan }
    const entries = set.keys.map(({ galoisElement, raising, ...entry }) => ({
      ...entry,
      ...(galoisElement === undefined ? {} : { galoisElement }),
      ...(raising === undefined ? {} : { raising }),
    }))
    this.#missing = selectKeyFiles(entries, session.wantedKeys, 'the key set')
  }

  /** Name of the secret key they belong to. */
  get keyId(): string {
    return this.#ids.keyId
  }

  /** Names of the files still to come, in order. */
  get wanted(): string[] {
    return this.#missing.map(({ file }) => file)
  }

  /** @returns where the keys lie, once the last one is there. @throws FormatError for anything out of turn */
  async take({ file, offset }: HeaderOf<'keyChunk'>, payload: Uint8Array): Promise<KeySource | undefined> {
    const entry = this.#missing[0]
    if (entry === undefined || entry.file !== file)
      throw new FormatError(`keyChunk: expected ${entry?.file ?? 'no more files'}, got "${file}"`)
    this.#current ??= { bytes: new Uint8Array(entry.bytes), done: 0 }
    const current = this.#current
    if (offset !== current.done || offset + payload.length > entry.bytes || payload.length === 0)
      throw new FormatError(
        `keyChunk: ${file}: expected bytes from ${current.done} to at most ${entry.bytes}, got ${payload.length} from ${offset}`,
      )
    current.bytes.set(payload, offset)
    current.done += payload.length
    if (current.done < entry.bytes) return undefined
    const got = toHex(sha256(current.bytes))
    if (got !== entry.sha256)
      throw new FormatError(`keyChunk: ${file}: expected the SHA-256 ${entry.sha256}, got ${got}`)
    await this.#depot.put(entry, current.bytes)
    this.#current = undefined
    this.#missing.shift()
    return this.finished()
  }

  /** The keys, when none is missing. */
  async finished(): Promise<KeySource | undefined> {
    return this.#missing.length === 0 ? this.#depot.finish(this.#ids) : undefined
  }
}

function same(what: string, wanted: string, got: string): void {
  if (wanted !== got)
    throw new ParameterMismatchError(
      `keySet: the server has ${what} ${wanted}, the keys are for ${got}: make them again`,
    )
}
