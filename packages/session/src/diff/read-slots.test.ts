import { createTensor } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout, pack } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { readSlots, tensorsOf } from './read-slots.ts'

const values = (count: number, first = 1): Float64Array => Float64Array.from({ length: count }, (_, i) => first + i)

describe('elements in slots', () => {
  it('come in the order of the tensor, whatever gaps lie between', () => {
    const image = createTensor([2, 2, 2], values(8))
    const layout = createMultiplexedLayout([2, 2, 2], { maxSlots: 64 })
    const seen: number[][] = []
    const place = { layout, part: { first: 0, count: layout.ciphertexts } }
    readSlots(place, pack(image, layout), 1, (...element) => seen.push(element))
    expect(seen).toEqual(Array.from(image.data, (x, i) => [0, i, x]))
  })

  it('make a tensor for each image in the units of the model; what lies elsewhere is no number', () => {
    const layout = createBatchLayout([3], { slots: 4 })
    const images = [createTensor([3], values(3)), createTensor([3], values(3, 11))]
    const slots = pack(images, layout)
    const wanted = { images: 2, shape: [3], factor: 0.5 }
    const whole = tensorsOf({ layout, part: { first: 0, count: 3 } }, slots, wanted)
    expect(whole).toEqual([
      createTensor(
        [3],
        values(3).map((x) => 2 * x),
      ),
      createTensor([3], Float64Array.of(22, 24, 26)),
    ])
    const middle = tensorsOf({ layout, part: { first: 1, count: 1 } }, slots.slice(1, 2), wanted)
    expect(middle.map(({ data }) => [...data])).toEqual([
      [Number.NaN, 4, Number.NaN],
      [Number.NaN, 24, Number.NaN],
    ])
    const tile = tensorsOf({ layout, part: { first: 0, count: 3 }, firstImage: 1 }, slots, wanted)
    expect(tile.map(({ data }) => [...data])).toEqual([Array(3).fill(Number.NaN), [2, 4, 6]])
  })
})
