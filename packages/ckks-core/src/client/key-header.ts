/** What the file of a needed key says of itself, known before the key is made. */
import type { EncapsulationKeyHeader, GaloisKeyHeader, Given, RelinearizationKeyHeader } from '../format/header.ts'
import { raisingSpecials } from '../parameters/ephemeral.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { conjugationElement, galoisElement } from '../port/galois.ts'
import type { KeyNeed } from '../port/keys.ts'
import type { Provenance } from './client-engine.ts'

/** Header of an evaluation key's file. */
export type KeyHeader = Given<RelinearizationKeyHeader | GaloisKeyHeader | EncapsulationKeyHeader>

/** The header for a need; always seeded. */
export function keyHeader(
  parameters: AnyParameters,
  need: KeyNeed,
  ids: Provenance & { readonly keyId: string },
): KeyHeader {
  const { level } = need
  const common = {
    parameters: parameters.id,
    ...ids,
    level,
    seeded: true,
    expansion: 'turboShake128',
    limbs: parameters.limbsAt(level) + parameters.p.length,
    digits: parameters.digitsAt(level),
  } as const
  if (need.kind === 'relinearization') return { kind: 'relinearizationKey', ...common }
  const { logN } = parameters
  if (need.kind === 'encapsulation') {
    if (!need.steps) return { kind: 'encapsulationKey', ...common }
    const limbs = parameters.limbsAt(level) + raisingSpecials(parameters)
    const raising = need.steps.map((steps) => galoisElement(steps, logN))
    return { kind: 'encapsulationKey', ...common, limbs, digits: 1, raising }
  }
  const element = need.kind === 'conjugation' ? conjugationElement(logN) : galoisElement(need.steps, logN)
  return { kind: 'galoisKey', ...common, galoisElement: element }
}

/** A plain name, unique within a request. */
export function keyFileName(header: KeyHeader): string {
  if (header.kind === 'relinearizationKey') return 'relinearization.key'
  if (header.kind === 'encapsulationKey') return 'encapsulation.key'
  return `galois-${header.galoisElement}.key`
}
