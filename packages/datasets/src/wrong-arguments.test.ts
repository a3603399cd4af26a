import { describe, expect, it } from 'vitest'
import { DatasetFormatError, imageTensor, normalize, selectImages } from './index.ts'

const WRONG = [undefined, null, 7, 'x', [], {}, Promise.resolve(1)] as never[]
const image = { shape: [1, 1, 1], data: new Float64Array(1) }
const images = { shape: [1, 1, 1] as const, count: 1, classes: 1, pixels: new Uint8Array(1), labels: new Uint8Array(1) }

describe('an argument of the wrong kind', () => {
  it.each<[string, (wrong: never) => unknown, RegExp]>([
    ['imageTensor', (x) => imageTensor(x, 0), /^imageTensor: images must be labelled images, as loadMnist/],
    ['selectImages', (x) => selectImages(x, [0]), /^selectImages: images must be labelled images/],
    ['its positions', (x) => selectImages(images, Array.isArray(x) ? (7 as never) : x), /a list of positions/],
    ['normalize', (x) => normalize(x, { mean: [0], std: [1] }), /^normalize: image must be a tensor/],
    ['its means', (x) => normalize(image, x), /^normalize: normalization must be an object with the lists/],
  ])('is a typed error: %s', (_, door, says) => {
    for (const wrong of WRONG) {
      expect(() => door(wrong)).toThrow(DatasetFormatError)
      expect(() => door(wrong)).toThrow(says)
    }
  })
  it('is told to be awaited where it is a promise', () => {
    expect(() => imageTensor(Promise.resolve(images) as never, 0)).toThrow(/got a promise: await it first/)
  })
})
