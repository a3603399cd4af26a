/**
 * An engine as a server uses it: beside the port, where its evaluation keys lie and how they are opened. Each package of an engine
 * makes its own; sessions and commands know no engine.
 */
import type { WantedKeyFile } from '../format/select-key-files.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { Engine } from '../port/engine.ts'
import type { KeyStore } from '../port/key-store.ts'
import type { KeyRequest } from '../port/keys.ts'

/** Where evaluation keys lie: a folder with a manifest, or files in memory. */
export type KeySource =
  | {
      /** Tells the two apart. */
      readonly kind: 'folder'
      /** Path of the folder. */
      readonly path: string
    }
  | {
      /** Tells the two apart. */
      readonly kind: 'memory'
      /** Contents of the files, whole; in any order. */
      readonly files: readonly Uint8Array[]
      /** Name of the secret key that they are said to belong to: files that name another are refused; SEAL's name none. */
      readonly keyId?: string
    }

/** How keys are opened. */
export interface OpenKeysOptions {
  /** Content hash of the plan that the keys must be for. */
  readonly plan: string
  /** The plan's keys: whatever else a source holds is passed over. */
  readonly request: KeyRequest
  /** Bytes of memory for keys; default no limit but the engine's own. */
  readonly budget?: number
  /**
   * Called once, with the store that will be returned, when everything about the keys was judged and before the engine hears of them:
   * until then it may hold others. Whoever has others open disposes of them here. The store says what it has, and gives no key yet. What
   * this throws is thrown, and nothing is opened.
   */
  readonly onJudged?: (keys: KeyStore) => Promise<void>
}

/** An engine that can open keys: what a server is made from. */
export interface EngineHost {
  /** What runs circuits. */
  readonly engine: Engine
  /** Where the keys of a request lie in a key set of this engine, and how large they may be. */
  wantedKeyFiles(parameters: AnyParameters, request: KeyRequest): WantedKeyFile[]
  /**
   * Opens the keys of a source: manifest, sizes, plan and secret key are checked before anything else is read; each key's content
   * when it is loaded. What is refused leaves the keys that are open as they are, see `onJudged`.
   * @throws MissingKeyError, FormatError, ParameterMismatchError
   */
  openKeys(source: KeySource, options: OpenKeysOptions): Promise<KeyStore>
}
