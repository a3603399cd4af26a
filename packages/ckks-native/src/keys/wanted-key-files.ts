import {
  type AnyParameters,
  conjugationElement,
  ephemeralKeyShape,
  galoisElement,
  type KeyFileEntry,
  type KeyRequest,
  listKeyNeeds,
  shapeBytes,
  switchingKeyShape,
  type WantedKeyFile,
} from '@he-ml/ckks-core'

/** Header, padding and checksum; 64 labels of 1 KiB fit. */
const FRAME_BYTES = 2 ** 17

/** The most that the file of a key may have; keys are stored with a seed for their uniform half. */
export function maxKeyFileBytes(
  parameters: AnyParameters,
  { kind, level }: Pick<KeyFileEntry, 'kind' | 'level'>,
): number {
  const { ringDegree } = parameters
  const switching = shapeBytes(switchingKeyShape(parameters, level, true), ringDegree)
  const ephemeral = kind === 'encapsulationKey' ? shapeBytes(ephemeralKeyShape(parameters, true), ringDegree) : 0
  return switching + ephemeral + FRAME_BYTES
}

/**
 * The files that hold the keys of a request, as `writeKeyFolder` of ckks-core makes them.
 * @throws LevelError, InvalidArgumentError for a request outside the parameters
 */
export function wantedKeyFiles(parameters: AnyParameters, request: KeyRequest): WantedKeyFile[] {
  const { logN } = parameters
  return listKeyNeeds(request).map((need) => {
    const { level } = need
    if (need.kind === 'relinearization' || need.kind === 'encapsulation') {
      const kind = need.kind === 'encapsulation' ? 'encapsulationKey' : 'relinearizationKey'
      return { kind, level, maxBytes: maxKeyFileBytes(parameters, { kind, level }) }
    }
    const kind = 'galoisKey'
    const element = need.kind === 'conjugation' ? conjugationElement(logN) : galoisElement(need.steps, logN)
    return { kind, level, galoisElement: element, maxBytes: maxKeyFileBytes(parameters, { kind, level }) }
  })
}
