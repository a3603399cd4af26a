/** node-seal 6: an object layer with getters over the compiled library. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealContext, SealSpec } from '../backend.ts'
import { evaluation6 } from './evaluation.ts'
import { type Opened6, open6 } from './open.ts'

/** What evaluates on an opened node-seal 6. */
export const contextOf6 = (opened: Opened6): SealContext => ({
  version: 'node-seal 6',
  parmsIds: opened.parmsIds,
  ...evaluation6(opened),
  delete: () => opened.delete(),
})

/** A context on node-seal 6. */
export const createContext6 = (seal: SEALLibrary, spec: SealSpec): SealContext => contextOf6(open6(seal, spec))
