/** A context of node-seal 6 with what works on it. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealObject, SealSpec } from '../backend.ts'
import { filled, scope } from '../scope.ts'
import type { ParmsId } from './objects.ts'

type Own = <T extends SealObject>(object: T) => T
type Context = ReturnType<SEALLibrary['Context']>

/** What all calls share. */
export interface Opened6 extends SealObject {
  readonly seal: SEALLibrary
  readonly context: Context
  readonly evaluator: ReturnType<SEALLibrary['Evaluator']>
  readonly encoder: ReturnType<SEALLibrary['CKKSEncoder']>
  /** SEAL's ids of its parameters, by level. */
  readonly levels: readonly ParmsId[]
  /** Their bytes; the last ones are those of keys. */
  readonly parmsIds: readonly Uint8Array[]
  /** Objects are saved as they are. */
  readonly uncompressed: SEALLibrary['ComprModeType']['none']
}

function newContext(seal: SEALLibrary, spec: SealSpec, own: Own): Context {
  const parms = own(seal.EncryptionParameters(seal.SchemeType.ckks))
  parms.setPolyModulusDegree(spec.ringDegree)
  const moduli = own(seal.Vector())
  const primes = spec.primes.map((p) => own(seal.Modulus(BigInt(p))))
  moduli.from(primes.map((m) => m.instance) as never, 'Modulus')
  parms.setCoeffModulus(moduli)
  const security = spec.security === 128 ? seal.SecurityLevel.tc128 : seal.SecurityLevel.none
  return filled(seal.Context(parms, true, security), (context) => {
    if (!context.parametersSet()) throw new Error('SEAL refuses these parameters')
  })
}

/** Ids of the parameters from the top level down to 0. */
function levelsOf(context: Context, top: number): ParmsId[] {
  const levels: ParmsId[] = []
  for (let level = top, data = context.firstContextData; ; level--) {
    levels[level] = data.parmsId
    const next = level > 0 ? data.nextContextData : undefined
    data.delete()
    if (!next) return levels
    data = next
  }
}

/** To be deleted. */
export function open6(seal: SEALLibrary, spec: SealSpec): Opened6 {
  const context = scope((own) => newContext(seal, spec, own))
  const levels = levelsOf(context, spec.primes.length - 2)
  const keyId = context.keyParmsId
  const parmsIds = [...levels, keyId].map((id) => new Uint8Array(id.values.buffer))
  keyId.delete()
  const evaluator = seal.Evaluator(context)
  const encoder = seal.CKKSEncoder(context)
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
