import { createTensor } from '@he-ml/model'
import { createBatchLayout, createChannelLayout, createMultiplexedLayout, pack } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { compareSlots } from './compare-slots.ts'

const values = (count: number, first = 1): Float64Array => Float64Array.from({ length: count }, (_, i) => first + i)
const whole = (ciphertexts: number) => ({ first: 0, count: ciphertexts })

describe('slots against a tensor', () => {
  const image = createTensor([2, 2, 2], values(8))
  const layout = createMultiplexedLayout([2, 2, 2], { maxSlots: 64 })

  it('that are equal differ nowhere', () => {
    const found = compareSlots({ layout, part: whole(layout.ciphertexts) }, pack(image, layout), [image])
    expect(found).toMatchObject({ error: 0, largest: 8 })
  })

  it('differ by the root mean square over elements, whatever gaps hold, and name the worst', () => {
    const slots = pack(image, layout).map((vector) => vector.map((v) => (v === 0 ? 1e9 : v)))
    const at = (value: number) => slots[0]!.indexOf(value)
    slots[0]![at(6)]! += 3
    slots[0]![at(2)]! -= 1
    const found = compareSlots({ layout, part: whole(layout.ciphertexts) }, slots, [image])!
    expect(found.error).toBeCloseTo(Math.sqrt(10 / 8), 12)
    expect(found.worst).toEqual({ image: 0, index: [1, 0, 1], encrypted: 9, clear: 6 })
  })

  it('count image by image and ciphertext by ciphertext; images that are not there do not', () => {
    const batch = createBatchLayout([3], { slots: 4 })
    const images = [createTensor([3], values(3)), createTensor([3], values(3, 11))]
    const slots = pack(images, batch).map((vector) => vector.map((v, i) => (i > 1 ? 1e9 : v)))
    slots[2]![1] = 14
    expect(compareSlots({ layout: batch, part: whole(3) }, slots, images)).toEqual({
      error: Math.sqrt(1 / 6),
      largest: 13,
      worst: { image: 1, index: [2], encrypted: 14, clear: 13 },
    })
    const last = compareSlots({ layout: batch, part: { first: 2, count: 1 } }, slots.slice(2), images)!
    expect(last.error).toBe(Math.sqrt(1 / 2))
    expect(compareSlots({ layout: batch, part: { first: 1, count: 1 } }, slots.slice(1, 2), images)!.error).toBe(0)
    expect(compareSlots({ layout: batch, part: { first: 3, count: 0 } }, [], images)).toBeUndefined()
  })

  it('of a tile are those of its own images, also where it is a part of what a merge reads', () => {
    const tile = createChannelLayout([1, 2, 2], { slots: 8, subBatches: 2 })
    const images = [0, 10, 20, 30, 40, 50, 60, 70].map((from) => createTensor([1, 2, 2], values(4, from)))
    // images 4 to 7: two sub-batches of two
    const slots = pack(images.slice(4), tile)
    slots[1]![0]! += 2
    const worst = { image: 6, index: [0, 0, 0], encrypted: 62, clear: 60 }
    const own = compareSlots({ layout: tile, part: whole(2), firstImage: 4 }, slots, images)!
    expect(own).toEqual({ error: Math.sqrt(4 / 16), largest: 73, worst })
    const joined = { ...tile, subBatches: 4, ciphertexts: 4 }
    expect(compareSlots({ layout: joined, part: { first: 2, count: 2 }, firstImage: 0 }, slots, images)).toEqual(own)
    // without the last images their slots do not count
    expect(compareSlots({ layout: tile, part: whole(2), firstImage: 4 }, slots, images.slice(0, 6))!.error).toBe(0)
  })

  it('that are no number are the worst', () => {
    const slots = pack(image, layout)
    slots[0]![slots[0]!.indexOf(3)] = Number.NaN
    slots[0]![slots[0]!.indexOf(8)]! += 1e9
    const found = compareSlots({ layout, part: whole(layout.ciphertexts) }, slots, [image])!
    expect(found.error).toBeNaN()
    expect(found.worst).toMatchObject({ index: [0, 1, 0], clear: 3 })
  })
})
