/** node-seal 7: the compiled library's own classes. */
import type { SealContext, SealSpec } from '../backend.ts'
import { evaluation7 } from './evaluation.ts'
import type { NodeSeal7 } from './library.ts'
import { type Opened7, open7 } from './open.ts'

/** What evaluates on an opened node-seal 7. */
export const contextOf7 = (opened: Opened7): SealContext => ({
  version: 'node-seal 7',
  parmsIds: opened.parmsIds,
  ...evaluation7(opened),
  delete: () => opened.delete(),
})

/** A context on node-seal 7. */
export const createContext7 = (seal: NodeSeal7, spec: SealSpec): SealContext => contextOf7(open7(seal, spec))
