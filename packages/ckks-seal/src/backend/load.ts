import { UnsupportedError } from '@he-ml/ckks-core'
import type { SealClientContext, SealSpec } from './backend.ts'
import { createContext6 } from './node-seal-6/create-context.ts'
import { createContext7 } from './node-seal-7/create-context.ts'
import type { NodeSeal7 } from './node-seal-7/library.ts'

/** An initialised node-seal module of version 6 or 7, in the build that allows transparent ciphertexts. */
export type SealModule = object

type Initialize = () => Promise<SealModule>
// 7 has an exports map, 6 has plain files; the first that resolves tells the version
const ENTRIES = [
  'node-seal/allows',
  typeof process === 'object' ? 'node-seal/allows_wasm_node_umd.js' : 'node-seal/allows_wasm_web_es.js',
]
let loaded: Promise<SealModule> | undefined

async function load(): Promise<SealModule> {
  const attempts: string[] = []
  for (const entry of ENTRIES) {
    try {
      const imported = (await import(/* @vite-ignore */ entry)) as { default: Initialize | { default: Initialize } }
      const initialize = 'default' in imported.default ? imported.default.default : imported.default
      return await initialize()
    } catch (error) {
      attempts.push(`${entry}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    }
  }
  throw new UnsupportedError(
    `node-seal could not be loaded: install node-seal@6.0.3 (Node 20 and later) or node-seal@7 (Node 24.15 and later). Tried ${attempts.join('; ')}`,
  )
}

/** The installed node-seal, started once per process. @throws UnsupportedError listing every attempt */
export function loadSeal(): Promise<SealModule> {
  loaded ??= load().catch((error) => {
    loaded = undefined
    throw error
  })
  return loaded
}

/** A context on whichever version the module is. */
export function createContext(module: SealModule, spec: SealSpec): SealClientContext {
  if ('CipherText' in module) return createContext6(module as never, spec)
  if ('Ciphertext' in module) return createContext7(module as NodeSeal7, spec)
  throw new UnsupportedError('expected an initialised node-seal module of version 6 or 7')
}
