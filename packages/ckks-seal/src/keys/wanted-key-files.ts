import {
  type AnyParameters,
  conjugationElement,
  type KeyRequest,
  listKeyNeeds,
  UnsupportedError,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { sealGaloisElement } from '../parameters.ts'

/** SEAL's headers, hashes and counts around one polynomial pair. */
const OBJECT_BYTES = 1024

/** The most that a key's file has: both halves of each digit, and the table of N places that Galois keys begin with. */
export function maxSealKeyFileBytes({ ringDegree, qLimbs, p }: AnyParameters): number {
  const pair = 2 * (qLimbs.length + p.length) * ringDegree * 8 + OBJECT_BYTES
  return qLimbs.length * pair + ringDegree * 8 + OBJECT_BYTES
}

/**
 * The files that hold the keys of a request, as the seal client makes them: each for the top level, Galois keys by SEAL's own
 * elements.
 * @throws UnsupportedError for keys that SEAL does not know
 */
export function sealKeyFiles(parameters: AnyParameters, request: KeyRequest): WantedKeyFile[] {
  const { logN, maxLevel: level } = parameters
  const maxBytes = maxSealKeyFileBytes(parameters)
  return listKeyNeeds(request).map((need) => {
    if (need.kind === 'encapsulation') throw new UnsupportedError('SEAL has no bootstrapping: use the native engine')
    if (need.kind === 'relinearization') return { kind: 'relinearizationKey', level, maxBytes }
    const element = need.kind === 'conjugation' ? conjugationElement(logN) : sealGaloisElement(need.steps, logN)
    return { kind: 'galoisKey', level, galoisElement: element, maxBytes }
  })
}
