/** A context of node-seal 7 with what works on it. */
import type { SealObject, SealSpec } from '../backend.ts'
import { filled, scope } from '../scope.ts'
import type { Context, Encoder, Evaluator, Mode, NodeSeal7, ParmsId } from './library.ts'

type Own = <T extends SealObject>(object: T) => T

/** What all calls share. */
export interface Opened7 extends SealObject {
  readonly seal: NodeSeal7
  readonly context: Context
  readonly evaluator: Evaluator
  readonly encoder: Encoder
  /** SEAL's ids of its parameters, by level. */
  readonly levels: readonly ParmsId[]
  /** Their bytes; the last ones are those of keys. */
  readonly parmsIds: readonly Uint8Array[]
  /** Objects are saved as they are. */
  readonly uncompressed: Mode
}

function newContext(seal: NodeSeal7, spec: SealSpec, own: Own): Context {
  const parms = own(new seal.EncryptionParameters(seal.SchemeType.ckks))
  const moduli = own(new seal.VectorModulus())
  for (const prime of spec.primes) moduli.push_back(own(new seal.Modulus(BigInt(prime))))
  parms.setPolyModulusDegree(spec.ringDegree)
  parms.setCoeffModulus(moduli)
  const security = spec.security === 128 ? seal.SecLevelType.tc128 : seal.SecLevelType.none
  return filled(new seal.SEALContext(parms, true, security), (context) => {
    if (!context.parametersSet()) throw new Error('SEAL refuses these parameters')
  })
}

/** Ids of the parameters from the top level down to 0. */
function levelsOf(context: Context, top: number): ParmsId[] {
  const levels: ParmsId[] = []
  for (let level = top, data = context.firstContextData(); ; level--) {
    levels[level] = data.parmsId()
    const next = level > 0 ? data.nextContextData() : undefined
    data.delete()
    if (!next) return levels
    data = next
  }
}

/** To be deleted. */
export function open7(seal: NodeSeal7, spec: SealSpec): Opened7 {
  const context = scope((own) => newContext(seal, spec, own))
  const levels = levelsOf(context, spec.primes.length - 2)
  const keyId = context.keyParmsId()
  const parmsIds = [...levels, keyId].map((id) => new Uint8Array(BigUint64Array.from(id.values()).buffer))
  keyId.delete()
  const evaluator = new seal.Evaluator(context)
  const encoder = new seal.CKKSEncoder(context)
  return {
    seal,
    context,
    evaluator,
    encoder,
    levels,
    parmsIds,
    uncompressed: seal.ComprModeType.none,
    delete: () => {
      for (const object of [encoder, evaluator, ...levels, context]) object.delete()
    },
  }
}
