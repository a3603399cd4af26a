/** node-seal 6: an object layer with getters over the compiled library. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealClientContext, SealSpec } from '../backend.ts'
import { clientCalls6 } from './client.ts'
import { evaluation6 } from './evaluation.ts'
import { open6 } from './open.ts'

/** A context on node-seal 6. */
export function createContext6(seal: SEALLibrary, spec: SealSpec): SealClientContext {
  const opened = open6(seal, spec)
  return {
    version: 'node-seal 6',
    parmsIds: opened.parmsIds,
    ...evaluation6(opened),
    ...clientCalls6(opened),
    delete: () => opened.delete(),
  }
}
