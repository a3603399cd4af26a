import type { AnyParameters, Engine, KeyRequest, KeyStore, WantedKeyFile } from '@he-ml/ckks-core'

/** Where evaluation keys lie: a folder with a manifest, or files in memory. */
export type KeySource =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'memory'; readonly files: readonly Uint8Array[] }

export interface OpenKeysOptions {
  /** Content hash of the plan that the keys must be for. */
  readonly plan: string
  /** The plan's keys: whatever else a source holds is passed over. */
  readonly request: KeyRequest
  /** Bytes of memory for keys; default no limit. */
  readonly budget?: number
}

/** An engine as a server uses it. Packages of engines have no such thing; their adapters live with whoever injects them. */
export interface EngineHost {
  readonly engine: Engine
  /** Where the keys of a request lie in a key set of this engine, and how large they may be. */
  wantedKeyFiles(parameters: AnyParameters, request: KeyRequest): WantedKeyFile[]
  /**
   * Opens the keys of a source; manifest, sizes, hashes, plan and secret key are checked.
   * @throws MissingKeyError, FormatError, ParameterMismatchError
   */
  openKeys(source: KeySource, options: OpenKeysOptions): Promise<KeyStore>
}
