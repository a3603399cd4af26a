import { UnsupportedError } from '@he-ml/ckks-core'
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealContext, SealSpec } from './backend.ts'
import { createContext6 } from './node-seal-6/create-context.ts'
import { createContext7 } from './node-seal-7/create-context.ts'
import type { NodeSeal7 } from './node-seal-7/library.ts'

/** An initialised node-seal module of version 6 or 7, in the build that allows transparent ciphertexts. */
export type SealModule = object

type Initialize = () => Promise<SealModule>
const IN_NODE = typeof process === 'object'
// 7 has an exports map, 6 has plain files; the first that resolves tells the version
const ENTRIES = ['node-seal/allows', IN_NODE ? 'node-seal/allows_wasm_node_umd.js' : 'node-seal/allows_wasm_web_es.js']
const ADVICE = IN_NODE
  ? 'install node-seal@6.0.3, which runs on Node 20 and later (7 runs on 22.19 and later of 22, and on 24.15 and later, but not on 20 nor before)'
  : 'import node-seal/allows_wasm_web_es.js of node-seal@6.0.3, call what it exports, and give the result as the option seal'
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
  throw new UnsupportedError(`node-seal could not be loaded: ${ADVICE}. Tried ${attempts.join('; ')}`)
}

/** The installed node-seal, started once per process. @throws UnsupportedError listing every attempt */
export function loadSeal(): Promise<SealModule> {
  loaded ??= load().catch((error) => {
    loaded = undefined
    throw error
  })
  return loaded
}

/** What is to be done, by the version that a module is. */
export interface ByVersion<T> {
  6(seal: SEALLibrary): T
  7(seal: NodeSeal7): T
}

/** @throws UnsupportedError for what is neither */
export function onVersion<T>(module: SealModule, what: ByVersion<T>): T {
  if ('CipherText' in module) return what[6](module as SEALLibrary)
  if ('Ciphertext' in module) return what[7](module as NodeSeal7)
  throw new UnsupportedError('expected an initialised node-seal module of version 6 or 7')
}

/** A context for evaluation on whichever version the module is. */
export const createContext = (module: SealModule, spec: SealSpec): SealContext =>
  onVersion(module, { 6: (seal) => createContext6(seal, spec), 7: (seal) => createContext7(seal, spec) })
