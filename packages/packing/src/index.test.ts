import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "PackedTensor",
      "channelCiphertexts",
      "createBatchLayout",
      "createChannelLayout",
      "createLowered",
      "createMultiOutputLowered",
      "createMultiplexedLayout",
      "gapsOf",
      "gapsWanted",
      "imagesPerTensor",
      "isLowerable",
      "isPowerOfTwo",
      "layoutPositions",
      "liesAlike",
      "lowerLayer",
      "nextPowerOfTwo",
      "pack",
      "parseLayout",
      "samePositions",
      "setErrorsAside",
      "unpack",
      "withGaps",
      "worseGaps",
    ]
  `)
})
