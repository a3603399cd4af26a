/**
 * Whole containers in memory. Reading looks at nothing it has not checked the length of, copies nothing, and allocates
 * only the decoded header; the segments are views of the input. Writing checks the same rules, so that a file we wrote is a
 * file we read. Bigger than memory: `@he-ml/ckks-core/node`.
 */

import { FormatError, HeMlError, InvalidArgumentError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { checkHeader, type Expectations } from './check-header.ts'
import { verifyContentHash } from './content-hash.ts'
import { assertFileParameters, insecureMark } from './file-security.ts'
import type { FileHeader, FileKind, HeaderInput, HeaderOf } from './header.ts'
import { decodeHeader, encodeHeader } from './header-codec.ts'
import {
  assertZeros,
  CHECKSUM_BYTES,
  type ContainerLayout,
  containerLayout,
  encodePrelude,
  PRELUDE_BYTES,
  parsePrelude,
} from './layout.ts'
import { sha256, sha256AndOfWhole } from './sha256.ts'
import { toHex } from './to-hex.ts'

/** A parsed file. */
export interface Container<K extends FileKind = FileKind> {
  /** Checked, and of the kind that was expected. */
  readonly header: HeaderOf<K>
  /** Views of the input, one per segment. */
  readonly segments: readonly Uint8Array[]
}

/** Everything of a container before its first segment, and where the rest goes. */
export interface ContainerStart {
  /** As it is written, lengths of the segments included. */
  readonly header: FileHeader
  /** Prelude, header and padding. */
  readonly bytes: Uint8Array
  /** Where the segments and the checksum lie. */
  readonly layout: ContainerLayout
}

/**
 * Start of a container whose segments come later, for streaming writers.
 * @param parameters those of what is written; levels and lengths are checked against them
 * @throws InvalidArgumentError for a header that does not describe the segments; SecurityError for insecure parameters
 */
export function beginContainer(
  input: HeaderInput,
  lengths: readonly number[],
  parameters: AnyParameters,
): ContainerStart {
  assertFileParameters(parameters, `a file of kind ${input.kind}`)
  const marked = { ...input, ...insecureMark(parameters) }
  const encoded = encodeHeader(marked, lengths)
  const header = { ...marked, segments: [...lengths] } as FileHeader
  try {
    checkHeader(header, { parameters })
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new InvalidArgumentError(`container ${cause.message}`, { cause })
  }
  const layout = containerLayout(encoded.length, lengths)
  const bytes = new Uint8Array(layout.segments[0]?.offset ?? layout.checksumOffset)
  bytes.set(encodePrelude(encoded.length))
  bytes.set(encoded, PRELUDE_BYTES)
  return { header, bytes, layout }
}

/**
 * Header and segments as one file.
 *
 * @throws InvalidArgumentError for a header that does not describe the segments; SecurityError for insecure parameters
 * @example
 * ```ts
 * import { encodeContainer, parseContainer, recommendedParameters } from '@he-ml/ckks-core'
 * const parameters = recommendedParameters('N14-L6')
 * const header = { kind: 'secretKey', parameters: parameters.id, logN: 14 } as const
 * const file = encodeContainer(header, [new Uint8Array(4096)], parameters)
 * const { segments } = parseContainer(file, { kind: 'secretKey', parameters })
 * console.log(file.length, segments[0]!.length)
 * ```
 */
export function encodeContainer(
  input: HeaderInput,
  segments: readonly Uint8Array[],
  parameters: AnyParameters,
): Uint8Array {
  const start = beginContainer(
    input,
    segments.map((s) => s.length),
    parameters,
  )
  const file = new Uint8Array(start.layout.totalBytes)
  for (const [i, { offset }] of start.layout.segments.entries()) file.set(segments[i]!, offset)
  finishContainer(file, start)
  return file
}

/**
 * Writes what is around the segments, which lie in the file already, with zeros between them: large ones are made where they belong.
 * @returns SHA-256 of the whole file, hex
 */
export function finishContainer(file: Uint8Array, { bytes, layout }: ContainerStart): string {
  file.set(bytes)
  const { own, whole } = sha256AndOfWhole(file.subarray(0, layout.checksumOffset))
  file.set(own, layout.checksumOffset)
  return toHex(whole)
}

/**
 * Header and offsets from the start of a file, checked before anything behind them is read.
 *
 * @param start the file's first bytes: prelude and header at least
 * @param fileBytes size of the whole file; must be exactly what the header says
 * @throws FormatError, ParameterMismatchError
 */
export function parseContainerStart<K extends FileKind = FileKind>(
  start: Uint8Array,
  fileBytes: number,
  expectations: Expectations<K> = {},
): { readonly header: HeaderOf<K>; readonly layout: ContainerLayout } {
  const { maxBytes } = expectations
  if (maxBytes !== undefined && fileBytes > maxBytes)
    throw new FormatError(`the file has ${fileBytes} bytes, at most ${maxBytes} are accepted here`)
  const headerBytes = parsePrelude(start, fileBytes)
  const end = PRELUDE_BYTES + headerBytes
  if (start.length < end) throw new FormatError(`at byte ${start.length}: the header goes on to ${end}`)
  const header = decodeHeader(start.subarray(PRELUDE_BYTES, end))
  checkHeader(header, expectations)
  const layout = containerLayout(headerBytes, header.segments)
  if (layout.totalBytes !== fileBytes)
    throw new FormatError(`expected a file of ${layout.totalBytes} bytes as its header says, got ${fileBytes}`)
  return { header: header as HeaderOf<K>, layout }
}

/**
 * A whole file: structure, ids, lengths, padding and checksum. Residues are checked by whoever unpacks them
 * (`validateSegments`, or the native engine while it imports).
 *
 * @returns the header, and views of `bytes`
 * @throws FormatError saying what is wrong and at which byte or field; ParameterMismatchError naming both ids
 */
export function parseContainer<K extends FileKind = FileKind>(
  bytes: Uint8Array,
  expectations: Expectations<K> = {},
): Container<K> {
  const { header, layout } = parseContainerStart(bytes, bytes.length, expectations)
  let end = PRELUDE_BYTES + layout.headerBytes
  for (const segment of [...layout.segments, { offset: layout.checksumOffset, bytes: CHECKSUM_BYTES }]) {
    assertZeros(bytes.subarray(end, segment.offset), end)
    end = segment.offset + segment.bytes
  }
  assertChecksum(sha256(bytes.subarray(0, layout.checksumOffset)), bytes.subarray(layout.checksumOffset), layout)
  const segments = layout.segments.map(({ offset, bytes: length }) => bytes.subarray(offset, offset + length))
  checkContent(header, segments)
  return { header, segments }
}

/** What a segment's own content must agree with. */
export function checkContent(header: FileHeader, segments: readonly Uint8Array[]): void {
  if (header.kind === 'plan') verifyContentHash(header.contentHash, segments[0]!)
}

/** @throws FormatError unless both are equal */
export function assertChecksum(computed: Uint8Array, stored: Uint8Array, layout: ContainerLayout): void {
  if (computed.some((b, i) => b !== stored[i]))
    throw new FormatError(`at byte ${layout.checksumOffset}: the checksum does not match: the file was damaged`)
}

/** Puts the file's name in front of an error's message. */
export function nameFile(error: unknown, file: string): unknown {
  if (error instanceof HeMlError) error.message = `${file}: ${error.message}`
  return error
}
