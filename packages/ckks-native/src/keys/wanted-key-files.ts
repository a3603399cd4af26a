import {
  type AnyParameters,
  conjugationElement,
  encapsulationKeyShapes,
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
  { kind, level, raising }: Pick<KeyFileEntry, 'kind' | 'level' | 'raising'>,
): number {
  const shapes =
    kind === 'encapsulationKey'
      ? encapsulationKeyShapes(parameters, { level, seeded: true, ...(raising ? { raising } : {}) })
      : [switchingKeyShape(parameters, level, true)]
  return shapes.reduce((sum, shape) => sum + shapeBytes(shape, parameters.ringDegree), 0) + FRAME_BYTES
}

/**
 * The files that hold the keys of a request, as `writeKeyFolder` of ckks-core makes them.
 * @throws LevelError, InvalidArgumentError for a request outside the parameters
 */
export function wantedKeyFiles(parameters: AnyParameters, request: KeyRequest): WantedKeyFile[] {
  const { logN } = parameters
  return listKeyNeeds(request).map((need) => {
    const { level } = need
    if (need.kind === 'relinearization') {
      const kind = 'relinearizationKey'
      return { kind, level, maxBytes: maxKeyFileBytes(parameters, { kind, level }) }
    }
    if (need.kind === 'encapsulation') {
      const raising = need.steps?.map((steps) => galoisElement(steps, logN))
      const key = { kind: 'encapsulationKey', level, ...(raising ? { raising } : {}) } as const
      return { ...key, maxBytes: maxKeyFileBytes(parameters, key) }
    }
    const kind = 'galoisKey'
    const element = need.kind === 'conjugation' ? conjugationElement(logN) : galoisElement(need.steps, logN)
    return { kind, level, galoisElement: element, maxBytes: maxKeyFileBytes(parameters, { kind, level }) }
  })
}
