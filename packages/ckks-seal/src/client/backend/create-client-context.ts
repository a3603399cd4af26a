/** A backend's context with the client's half: keys, encryption, decryption. An engine that evaluates has no way to it. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealClientContext, SealSpec } from '../../backend/backend.ts'
import { onVersion, type SealModule } from '../../backend/load.ts'
import { contextOf6 } from '../../backend/node-seal-6/create-context.ts'
import { open6 } from '../../backend/node-seal-6/open.ts'
import { contextOf7 } from '../../backend/node-seal-7/create-context.ts'
import type { NodeSeal7 } from '../../backend/node-seal-7/library.ts'
import { open7 } from '../../backend/node-seal-7/open.ts'
import { clientCalls6 } from './node-seal-6.ts'
import { clientCalls7 } from './node-seal-7.ts'

/** A client's context on whichever version the module is. */
export const createClientContext = (module: SealModule, spec: SealSpec): SealClientContext =>
  onVersion(module, { 6: (seal) => client6(seal, spec), 7: (seal) => client7(seal, spec) })

function client6(seal: SEALLibrary, spec: SealSpec): SealClientContext {
  const opened = open6(seal, spec)
  return { ...contextOf6(opened), ...clientCalls6(opened) }
}

function client7(seal: NodeSeal7, spec: SealSpec): SealClientContext {
  const opened = open7(seal, spec)
  return { ...contextOf7(opened), ...clientCalls7(opened) }
}
