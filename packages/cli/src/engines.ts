/** The engine a command runs on. Native where it loads; otherwise seal, for plans whose parameters SEAL can hold. */
import type {
  AnyParameters,
  Ciphertext,
  CiphertextNames,
  Engine,
  KeyFileEntry,
  KeyRequest,
  WantedKeyFile,
} from '@he-ml/ckks-core'
import { HeMlError, UnsupportedError } from '@he-ml/ckks-core'
import type { ClientEngine } from '@he-ml/ckks-core/client'
import {
  createNativeEngine,
  type EvaluationKeyKind,
  loadEvaluationKey,
  nativeAvailable,
  wantedKeyFiles,
} from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createSealEngine, sealKeyFiles } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'

export const ENGINES = ['auto', 'native', 'seal'] as const
export type EngineChoice = (typeof ENGINES)[number]

export interface EngineOptions {
  readonly engine: EngineChoice
  readonly threads?: number
  readonly memory?: number
}

/** A key file's bytes, what the manifest says of them, and what the manifest says of itself. */
export interface ListedKey {
  readonly entry: KeyFileEntry
  readonly bytes: Uint8Array
  readonly keyId: string
  readonly plan: string
}

/** What `run` needs of an engine beyond the port. */
export interface ServerSession {
  readonly engine: Engine
  /** Where the keys of a request lie in a key set of this engine. */
  keyFiles(request: KeyRequest): WantedKeyFile[]
  /** Loads the key of an entry; the file must be that key. */
  loadKey(key: ListedKey): Promise<void>
  /** Every ciphertext of a file; `slots` is the plan's period. */
  importInputs(bytes: Uint8Array, plan: string, slots: number): Promise<Ciphertext[]>
  exportOutputs(outputs: readonly Ciphertext[], plan: string): Promise<Uint8Array>
}

/** 'native' or 'seal' for 'auto'; says on stderr why it fell back. */
export function chooseEngine(choice: EngineChoice): 'native' | 'seal' {
  if (choice !== 'auto') return choice
  if (nativeAvailable()) return 'native'
  process.stderr.write('the native engine is not available here; using node-seal (slower, leveled only)\n')
  return 'seal'
}

export async function openClient(parameters: AnyParameters, options: EngineOptions): Promise<ClientEngine> {
  if (chooseEngine(options.engine) === 'native') return createNativeClient(parameters, threadsOf(options))
  return explainSeal(() => createSealClient(parameters))
}

export async function openServer(parameters: AnyParameters, options: EngineOptions): Promise<ServerSession> {
  if (chooseEngine(options.engine) === 'native') {
    const engine = createNativeEngine(parameters, {
      ...threadsOf(options),
      ...(options.memory === undefined ? {} : { memoryCeiling: options.memory }),
    })
    // a session serves one file of inputs, and its result answers them
    let names: CiphertextNames = {}
    return {
      engine,
      keyFiles: (request) => wantedKeyFiles(parameters, request),
      loadKey: ({ entry, bytes, keyId, plan }) => {
        const { kind, level, galoisElement } = entry
        const expected = { kind: kind as EvaluationKeyKind, level, keyId, plan }
        return loadEvaluationKey(engine, bytes, {
          ...expected,
          ...(galoisElement === undefined ? {} : { galoisElement }),
        })
      },
      importInputs: async (bytes, plan) => {
        const inputs = await engine.importCiphertexts(bytes, { plan })
        names = inputs.names
        return inputs.ciphertexts
      },
      exportOutputs: (outputs, plan) =>
        engine.exportCiphertexts(outputs, {
          ...names,
          plan,
          ...(engine.keyId === undefined ? {} : { keyId: engine.keyId }),
        }),
    }
  }
  const engine = await explainSeal(() => createSealEngine(parameters))
  return {
    engine,
    keyFiles: (request) => sealKeyFiles(parameters, request),
    loadKey: async ({ entry, bytes }) => {
      if (entry.kind === 'relinearizationKey') engine.loadRelinearizationKey(bytes)
      else engine.loadGaloisKeys(bytes)
    },
    importInputs: async (bytes, _, slots) => [await engine.importCiphertext(bytes, { slots })],
    exportOutputs: (outputs) => {
      if (outputs.length !== 1)
        throw new UnsupportedError(
          `the seal engine writes one ciphertext per file, the result has ${outputs.length}: use --engine native`,
        )
      return engine.exportCiphertext(outputs[0]!)
    },
  }
}

const threadsOf = (options: EngineOptions) => (options.threads === undefined ? {} : { threads: options.threads })

async function explainSeal<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof HeMlError && error.code === 'Unsupported')
      throw new UnsupportedError(
        `${error.message}. Make the plan with --engine seal to get parameters that SEAL can hold`,
        { cause: error },
      )
    throw error
  }
}
