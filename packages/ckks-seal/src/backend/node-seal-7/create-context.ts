/** node-seal 7: the compiled library's own classes. */
import type { SealClientContext, SealSpec } from '../backend.ts'
import { clientCalls7 } from './client.ts'
import { evaluation7 } from './evaluation.ts'
import type { NodeSeal7 } from './library.ts'
import { open7 } from './open.ts'

/** A context on node-seal 7. */
export function createContext7(seal: NodeSeal7, spec: SealSpec): SealClientContext {
  const opened = open7(seal, spec)
  return {
    version: 'node-seal 7',
    parmsIds: opened.parmsIds,
    ...evaluation7(opened),
    ...clientCalls7(opened),
    delete: () => opened.delete(),
  }
}
