import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "Model",
      "Pacer",
      "PackedTensor",
      "WIDEST_RANGE",
      "createBatchLayout",
      "createChannelLayout",
      "createMultiplexedLayout",
      "createTensor",
      "foldFactors",
      "gapsWanted",
      "imagesPerTensor",
      "isCalibrated",
      "isPowerOfTwo",
      "layoutPositions",
      "nextPowerOfTwo",
      "pack",
      "parseLayout",
      "samePositions",
      "sameShape",
      "setErrorsAside",
      "sizeOf",
      "unpack",
    ]
  `)
})
