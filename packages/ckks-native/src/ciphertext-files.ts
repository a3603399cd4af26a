/** Ciphertexts in our container format, through the compiled engine, which checks every residue. */
import {
  type AnyParameters,
  type Ciphertext,
  type CiphertextExpectations,
  type CiphertextFile,
  type CiphertextMeta,
  type CiphertextNames,
  type CiphertextObject,
  encodeContainer,
  FormatError,
  InvalidArgumentError,
  parseContainer,
} from '@he-ml/ckks-core'
import type { BindingLane, CiphertextHandle } from './binding.ts'
import { native, nativeAsync } from './errors.ts'
import type { NativeCiphertext } from './handles.ts'
import type { Origin } from './origin.ts'

/** What files need of an engine or a lane. */
interface CiphertextHolder {
  readonly parameters: AnyParameters
  readonly origin: Origin
  readonly lane: BindingLane
  readonly keyId: string | undefined
  wrap(handle: CiphertextHandle, meta: CiphertextMeta): NativeCiphertext
}

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
export async function exportSegment(engine: CiphertextHolder, a: Ciphertext): Promise<CiphertextSegment> {
  const ciphertext = owned(engine, a)
  const segment = await nativeAsync(async () => engine.lane.exportCiphertext(ciphertext.handle))
  const { level, scale, slots, degree } = ciphertext
  return { object: { level, scale, slots, degree, seeded: false }, segment }
}

/** Every ciphertext of a file, as handles of this engine, in order. */
export async function importCiphertexts(
  engine: CiphertextHolder,
  bytes: Uint8Array,
  expected: CiphertextExpectations = {},
): Promise<CiphertextFile> {
  const { plan: wanted } = expected
  const { header, segments } = parseContainer(bytes, {
    kind: 'ciphertext',
    parameters: engine.parameters,
    ...(wanted === undefined ? {} : { plan: wanted }),
  })
  engine.origin.keys.check(header.keyId, 'the ciphertext')
  const outcomes = await Promise.allSettled(
    header.objects.map(async ({ level, scale, slots, degree, seeded }, i) => {
      const handle = await nativeAsync(async () => engine.lane.importCiphertext(level, degree, seeded, segments[i]!))
      return engine.wrap(handle, { level, scale, slots, degree })
    }),
  )
  const ciphertexts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure) {
    for (const ciphertext of ciphertexts) ciphertext.dispose()
    throw failure.reason
  }
  const { plan, request, keyId } = header
  const names = {
    ...(plan === undefined ? {} : { plan }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(request === undefined ? {} : { request }),
  }
  return { ciphertexts, names }
}

/** The port's exportCiphertexts: several ciphertexts, one file. */
export async function exportCiphertexts(
  engine: CiphertextHolder,
  ciphertexts: readonly Ciphertext[],
  names: CiphertextNames = engine.keyId === undefined ? {} : { keyId: engine.keyId },
): Promise<Uint8Array> {
  if (ciphertexts.length === 0) throw new InvalidArgumentError('exportCiphertexts: at least one ciphertext is needed')
  const segments = await Promise.all(ciphertexts.map((ciphertext) => exportSegment(engine, ciphertext)))
  return encodeCiphertexts(engine.parameters, segments, names)
}

/** The port's importCiphertext. @throws FormatError when the file holds more than one */
export async function importCiphertext(engine: CiphertextHolder, bytes: Uint8Array): Promise<Ciphertext> {
  const { ciphertexts } = await importCiphertexts(engine, bytes)
  if (ciphertexts.length === 1) return ciphertexts[0]!
  for (const ciphertext of ciphertexts) ciphertext.dispose()
  throw new FormatError(`expected one ciphertext, the file holds ${ciphertexts.length}: use importCiphertexts`)
}

function owned(engine: CiphertextHolder, a: Ciphertext): NativeCiphertext {
  native(() => (a as NativeCiphertext).check(engine.origin.owner, 'exportCiphertext'))
  return a as NativeCiphertext
}
