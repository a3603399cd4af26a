import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "MOST_SUB_BATCHES",
      "PackedTensor",
      "channelCiphertexts",
      "ciphertextGroups",
      "createBatchLayout",
      "createChannelLayout",
      "createLowered",
      "createMultiOutputLowered",
      "createMultiplexedLayout",
      "elementsAt",
      "encodeElementMasks",
      "freeOffsets",
      "gapsOf",
      "gapsWanted",
      "imageShift",
      "imagesPerTensor",
      "isLowerable",
      "isPowerOfTwo",
      "joinRefreshes",
      "layoutPositions",
      "liesAlike",
      "lowerLayer",
      "lowerMerge",
      "lowerRefresh",
      "lowerStream",
      "mergeable",
      "mergedLayout",
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
