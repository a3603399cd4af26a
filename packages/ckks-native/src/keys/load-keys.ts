/** Evaluation keys into the engine. Secret keys never pass here. */
import {
  type AnyParameters,
  assertEphemeralSecure,
  assertFileParameters,
  assertSecure,
  type EvaluationKeyKind,
  FormatError,
  type HeaderOf,
  isSecure,
  parseContainer,
} from '@he-ml/ckks-core'
import { nativeAsync, throwIfAborted } from '../errors.ts'
import type { NativeEngine } from '../native-engine.ts'
import { ENCAPSULATION, RELINEARIZATION } from './loaded-keys.ts'

/**
 * Loads one relinearisation, Galois or encapsulation key from its file. A key of a higher level replaces one of a lower.
 * An encapsulation key replaces one that does nothing beyond it; two of which each does something that the other does not are refused.
 *
 * @throws FormatError, ParameterMismatchError for bytes that are not a key for these parameters
 * @throws SecurityError when the key's own modulus is not 128-bit secure (impossible for keys of secure parameters)
 */
export async function loadEvaluationKey(engine: NativeEngine, bytes: Uint8Array): Promise<void> {
  const { header, segments } = parseContainer(bytes, { parameters: engine.parameters })
  if (header.kind !== 'relinearizationKey' && header.kind !== 'galoisKey' && header.kind !== 'encapsulationKey')
    throw new FormatError(`expected an evaluation key, got a file of kind ${header.kind}`)
  await loadKeySegments(engine, header, segments)
}

/**
 * The same for a file whose frame was checked before. The segments must not change until the promise settles. @internal
 * @throws as {@link loadEvaluationKey}
 */
export async function loadKeySegments(
  engine: NativeEngine,
  header: HeaderOf<EvaluationKeyKind>,
  segments: readonly Uint8Array[],
): Promise<void> {
  const element = elementOf(header)
  if (!header.seeded) throw new FormatError('expected a seeded key: the uniform half is stored as its seed')
  const raising = header.kind === 'encapsulationKey' ? header.raising : undefined
  engine.keys.needOf(element, header.level, raising)
  assertKeySecure(engine.parameters, header.level, header.kind)
  const turbo = header.expansion === 'turboShake128'
  using _ = engine.keys.hold(header.keyId, `the ${header.kind}`)
  try {
    if (header.kind === 'encapsulationKey') {
      assertEphemeralSecure(engine.parameters)
      const elements = raising && Uint32Array.from(raising)
      await nativeAsync(() => engine.binding.loadEncapsulationKey(header.level, elements, segments, turbo))
    } else await nativeAsync(() => engine.binding.loadKey(element, header.level, segments[0]!, turbo))
  } finally {
    engine.keys.refresh()
  }
}

/** The Galois element of a key, or what stands in its place. @internal */
export function elementOf(key: {
  readonly kind: EvaluationKeyKind
  readonly galoisElement?: number | undefined
}): number {
  if (key.kind === 'encapsulationKey') return ENCAPSULATION
  if (key.kind === 'relinearizationKey') return RELINEARIZATION
  const element = key.galoisElement ?? 0
  if (element <= ENCAPSULATION)
    throw new FormatError(`header.galoisElement: ${element} is neither a rotation's nor the conjugation's`)
  return element
}

/** Loads many keys, a few at a time, with progress. */
export async function loadEvaluationKeys(
  engine: NativeEngine,
  files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: { readonly onProgress?: (loaded: number) => void; readonly signal?: AbortSignal } = {},
): Promise<void> {
  let loaded = 0
  for await (const bytes of files) {
    throwIfAborted(options.signal, `key loading: cancelled after ${loaded} keys`)
    await loadEvaluationKey(engine, bytes)
    options.onProgress?.(++loaded)
  }
}

/** The 128-bit check on a key's own modulus: the primes of its level and the special ones. @throws SecurityError */
export function assertKeySecure(parameters: AnyParameters, level: number, what: string): void {
  if (isSecure(parameters))
    assertSecure(parameters.logN, parameters.logQAt(level) + parameters.logP, `${what} at level ${level}`)
  else assertFileParameters(parameters, `${what} at level ${level}`)
}
