/** Ciphertexts in our container format, through the compiled engine, which checks every residue. */
import {
  type AnyParameters,
  type Ciphertext,
  type CiphertextNames,
  type CiphertextObject,
  encodeContainer,
  FormatError,
  InvalidArgumentError,
  parseContainer,
} from '@he-ml/ckks-core'
import { native, nativeAsync } from './errors.ts'
import type { NativeCiphertext } from './handles.ts'
import type { NativeEngine } from './native-engine.ts'

/** A ciphertext with the segment that holds its polynomials. */
export interface CiphertextSegment {
  readonly object: Omit<CiphertextObject, 'limbs'>
  readonly segment: Uint8Array
}

/** One or several ciphertexts as a file. */
export function encodeCiphertexts(
  parameters: AnyParameters,
  ciphertexts: readonly CiphertextSegment[],
  extra: CiphertextNames & { readonly labels?: Record<string, string> } = {},
): Uint8Array {
  const objects = ciphertexts.map(({ object }) => ({ ...object, limbs: parameters.limbsAt(object.level) }))
  return encodeContainer(
    { kind: 'ciphertext', parameters: parameters.id, ...extra, objects },
    ciphertexts.map((c) => c.segment),
    parameters,
  )
}

/** The segment of a ciphertext of this engine; waits until it is computed. */
export async function exportSegment(engine: NativeEngine, a: Ciphertext, name?: string): Promise<CiphertextSegment> {
  const ciphertext = owned(engine, a)
  const segment = await nativeAsync(() => engine.binding.exportCiphertext(ciphertext.handle))
  const { level, scale, slots, degree } = ciphertext
  return { object: { level, scale, slots, degree, seeded: false, ...(name === undefined ? {} : { name }) }, segment }
}

/** Every ciphertext of a file, as handles of this engine, in order. */
export async function importCiphertexts(
  engine: NativeEngine,
  bytes: Uint8Array,
  expected: { readonly plan?: string } = {},
): Promise<{
  readonly ciphertexts: NativeCiphertext[]
  readonly objects: readonly CiphertextObject[]
  readonly labels: Record<string, string>
  /** To be given to `encodeCiphertexts` with the result. */
  readonly names: CiphertextNames
}> {
  const { header, segments } = parseContainer(bytes, { kind: 'ciphertext', parameters: engine.parameters, ...expected })
  engine.checkKeyId(header.keyId, 'the ciphertext')
  const ciphertexts: NativeCiphertext[] = []
  try {
    for (const [i, object] of header.objects.entries()) {
      const handle = await nativeAsync(() =>
        engine.binding.importCiphertext(object.level, object.degree, object.seeded, segments[i]!),
      )
      const { level, scale, slots, degree } = object
      ciphertexts.push(engine.wrap(handle, { level, scale, slots, degree }))
    }
  } catch (error) {
    for (const ciphertext of ciphertexts) ciphertext.dispose()
    throw error
  }
  const { objects, labels = {}, plan, request, keyId } = header
  return {
    ciphertexts,
    objects,
    labels,
    names: {
      ...(plan === undefined ? {} : { plan }),
      ...(keyId === undefined ? {} : { keyId }),
      ...(request === undefined ? {} : { request }),
    },
  }
}

/** The port's exportCiphertexts: several ciphertexts, one file. */
export async function exportCiphertexts(
  engine: NativeEngine,
  ciphertexts: readonly Ciphertext[],
  names: CiphertextNames = engine.keyId === undefined ? {} : { keyId: engine.keyId },
): Promise<Uint8Array> {
  if (ciphertexts.length === 0) throw new InvalidArgumentError('exportCiphertexts: at least one ciphertext is needed')
  const segments = await Promise.all(ciphertexts.map((ciphertext) => exportSegment(engine, ciphertext)))
  return encodeCiphertexts(engine.parameters, segments, names)
}

/** The port's importCiphertext. @throws FormatError when the file holds more than one */
export async function importCiphertext(engine: NativeEngine, bytes: Uint8Array): Promise<Ciphertext> {
  const { ciphertexts } = await importCiphertexts(engine, bytes)
  if (ciphertexts.length === 1) return ciphertexts[0]!
  for (const ciphertext of ciphertexts) ciphertext.dispose()
  throw new FormatError(`expected one ciphertext, the file holds ${ciphertexts.length}: use importCiphertexts`)
}

function owned(engine: NativeEngine, a: Ciphertext): NativeCiphertext {
  native(() => (a as NativeCiphertext).check(engine, 'exportCiphertext'))
  return a as NativeCiphertext
}
