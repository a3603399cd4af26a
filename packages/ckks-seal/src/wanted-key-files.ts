import {
  type AnyParameters,
  conjugationElement,
  type KeyRequest,
  listKeyNeeds,
  UnsupportedError,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { sealGaloisElement } from './parameters.ts'

/** SEAL's headers, hashes and counts around one polynomial pair. */
const OBJECT_BYTES = 1024

/**
 * The files that hold the keys of a request, as the seal client makes them: each for the top level, Galois keys by SEAL's own
 * elements. A file has at most both halves of each digit, and the table of N places that Galois keys begin with.
 * @throws UnsupportedError for keys that SEAL does not know
 */
export function sealKeyFiles(parameters: AnyParameters, request: KeyRequest): WantedKeyFile[] {
  const { logN, ringDegree, qLimbs, p, maxLevel: level } = parameters
  const pair = 2 * (qLimbs.length + p.length) * ringDegree * 8 + OBJECT_BYTES
  const maxBytes = qLimbs.length * pair + ringDegree * 8 + OBJECT_BYTES
  return listKeyNeeds(request).map((need) => {
    if (need.kind === 'encapsulation') throw new UnsupportedError('SEAL has no bootstrapping: use the native engine')
    if (need.kind === 'relinearization') return { kind: 'relinearizationKey', level, maxBytes }
    const element = need.kind === 'conjugation' ? conjugationElement(logN) : sealGaloisElement(need.steps, logN)
    return { kind: 'galoisKey', level, galoisElement: element, maxBytes }
  })
}
