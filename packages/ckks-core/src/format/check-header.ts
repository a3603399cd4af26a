/** Everything about a header that needs more than its own fields: kinds, ids, levels, scales, exact lengths. */
import { FormatError, ParameterMismatchError } from '../errors/errors.ts'
import { raisingSpecials } from '../parameters/ephemeral.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { checkFileSecurity } from './file-security.ts'
import type { FileHeader, FileKind, HeaderOf } from './header.ts'
import { secretKeyBytes, segmentShapes, shapeBytes } from './segment-shape.ts'

/** What a reader knows beforehand; whatever is given is enforced. */
export interface Expectations<K extends FileKind = FileKind> {
  /** The kinds that will do; others are refused. */
  readonly kind?: K | readonly K[]
  /** Levels, lengths and scales are only fully checked with parameters. */
  readonly parameters?: AnyParameters
  /** Content hash of the plan; files that name no plan pass. */
  readonly plan?: string
  /** Name of the secret key; files that name none pass. */
  readonly keyId?: string
  /** Largest file accepted. */
  readonly maxBytes?: number
}

function same(field: string, wanted: string | undefined, got: string | undefined, advice: string): void {
  if (wanted !== undefined && got !== undefined && wanted !== got)
    throw new ParameterMismatchError(`header.${field}: expected ${wanted}, got ${got}: ${advice}`)
}

function equal(field: string, wanted: number, got: number): void {
  if (wanted !== got) throw new FormatError(`header.${field}: expected ${wanted}, got ${got}`)
}

function checkLevel(parameters: AnyParameters, level: number, field: string): void {
  if (level > parameters.maxLevel)
    throw new FormatError(`header.${field}: expected a level from 0 to ${parameters.maxLevel}, got ${level}`)
}

function checkCiphertexts(header: HeaderOf<'ciphertext'>, parameters: AnyParameters | undefined): void {
  for (const [i, object] of header.objects.entries()) {
    const field = `objects[${i}]`
    if (object.seeded && object.degree !== 1)
      throw new FormatError(`header.${field}.seeded: only a ciphertext of degree 1 has a seed, this one has degree 2`)
    if (parameters) {
      checkLevel(parameters, object.level, `${field}.level`)
      equal(`${field}.limbs`, parameters.limbsAt(object.level), object.limbs)
      if (object.slots > parameters.maxSlots)
        throw new FormatError(`header.${field}.slots: expected at most ${parameters.maxSlots}, got ${object.slots}`)
    }
    const room = parameters ? parameters.logQAt(object.level) : object.limbs * 48
    if (!(Math.log2(object.scale) < room))
      throw new FormatError(
        `header.${field}.scale: expected a scale between 1 and the modulus of ${room.toFixed(1)} bits, got 2^${Math.log2(object.scale).toFixed(1)}`,
      )
  }
}

function checkKeySet(header: HeaderOf<'keySet'>, parameters: AnyParameters | undefined): void {
  const files = new Set<string>()
  for (const [i, key] of header.keys.entries()) {
    const field = `keys[${i}]`
    if (files.has(key.file)) throw new FormatError(`header.${field}.file: '${key.file}' is listed twice`)
    files.add(key.file)
    if ((key.kind === 'galoisKey') !== (key.galoisElement !== undefined))
      throw new FormatError(`header.${field}.galoisElement: expected for a galoisKey and only there`)
    if (key.kind !== 'encapsulationKey' && key.raising !== undefined)
      throw new FormatError(`header.${field}.raising: expected for an encapsulationKey only`)
    if (!parameters) continue
    checkLevel(parameters, key.level, `${field}.level`)
    if (key.galoisElement !== undefined) checkElement(parameters, key.galoisElement, `${field}.galoisElement`)
    if (key.raising !== undefined) checkRaising(parameters, key.raising, `${field}.raising`)
  }
}

function checkElement(parameters: AnyParameters, element: number, field: string): void {
  if (element >= 2 * parameters.ringDegree)
    throw new FormatError(
      `header.${field}: expected an odd Galois element below 2N = ${2 * parameters.ringDegree}, got ${element}`,
    )
}

function checkRaising(parameters: AnyParameters, elements: readonly number[], field: string): void {
  if (new Set(elements).size !== elements.length) throw new FormatError(`header.${field}: an element is listed twice`)
  for (const [i, element] of elements.entries()) checkElement(parameters, element, `${field}[${i}]`)
}

function checkKey(header: FileHeader, parameters: AnyParameters): void {
  if (header.kind === 'secretKey') equal('logN', parameters.logN, header.logN)
  if (!('level' in header)) return
  checkLevel(parameters, header.level, 'level')
  const short = header.kind === 'encapsulationKey' && header.raising !== undefined
  const special = header.kind === 'publicKey' ? 0 : short ? raisingSpecials(parameters) : parameters.p.length
  equal('limbs', parameters.limbsAt(header.level) + special, header.limbs)
  if (header.kind === 'publicKey') return
  equal('digits', short ? 1 : parameters.digitsAt(header.level), header.digits)
  if (short) checkRaising(parameters, header.raising!, 'raising')
  if (header.kind === 'galoisKey') checkElement(parameters, header.galoisElement, 'galoisElement')
}

/** Lengths that the header and the parameters imply; undefined where only the file knows. */
function impliedLengths(header: FileHeader, parameters: AnyParameters | undefined): (number | undefined)[] {
  switch (header.kind) {
    case 'keySet':
      return []
    case 'secretKey':
      return [secretKeyBytes(header.logN)]
    case 'plan':
      return [undefined]
    case 'result':
      return header.tensors.map((t) => t.shape.reduce((a, b) => a * b, 1) * (t.complex ? 16 : 8))
    default: {
      if (parameters) return segmentShapes(header, parameters).map((shape) => shapeBytes(shape, parameters.ringDegree))
      const count =
        header.kind === 'ciphertext'
          ? header.objects.length
          : header.kind === 'encapsulationKey'
            ? 2 + (header.raising?.length ?? 0)
            : 1
      return new Array(count).fill(undefined)
    }
  }
}

/**
 * Checks a header against what the reader expects, and its lengths against what they must be.
 * @throws FormatError naming the field; ParameterMismatchError naming both ids; SecurityError for insecure parameters
 */
export function checkHeader(header: FileHeader, expectations: Expectations): void {
  const { kind, parameters } = expectations
  const kinds = kind === undefined ? undefined : [kind].flat()
  if (kinds && !kinds.includes(header.kind))
    throw new FormatError(`header.kind: expected ${kinds.join(' or ')}, got ${header.kind}`)
  same('parameters', parameters?.id, header.parameters, 'use the parameters it was made under')
  checkFileSecurity(header, parameters)
  same('plan', expectations.plan, header.plan, 'it was made for another plan')
  same('keyId', expectations.keyId, header.keyId, 'it belongs to another secret key')
  if (header.kind === 'ciphertext') checkCiphertexts(header, parameters)
  if (header.kind === 'keySet') checkKeySet(header, parameters)
  if (parameters) checkKey(header, parameters)
  const implied = impliedLengths(header, parameters)
  equal('segments.length', implied.length, header.segments.length)
  for (const [i, wanted] of implied.entries())
    if (wanted !== undefined) equal(`segments[${i}]`, wanted, header.segments[i]!)
}
