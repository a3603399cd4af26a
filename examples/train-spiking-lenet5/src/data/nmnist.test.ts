import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { eventFrames, type LabelledImages, simulateNmnist } from '@he-ml/datasets'
import type { LabelledData } from '@he-ml/snn-training'
import { afterAll, describe, expect, it } from 'vitest'
import { nmnistRecordings } from './nmnist.ts'
import { subset } from './subset.ts'

const folder = mkdtempSync(join(tmpdir(), 'recordings-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Images of a bar each, somewhere else for every label. */
function bars(count: number): LabelledImages {
  const pixels = new Uint8Array(count * 784)
  for (let n = 0; n < count; n++) pixels.fill(255, n * 784 + 84 + 28 * (n % 10), n * 784 + 84 + 28 * (n % 10) + 70)
  return {
    shape: [1, 28, 28],
    count,
    classes: 10,
    pixels,
    labels: Uint8Array.from({ length: count }, (_, n) => n % 10),
  }
}

const read = (data: LabelledData, index: number): Float32Array => {
  const out = new Float32Array(data.steps * 2 * 34 * 34)
  data.read(index, out)
  return out
}
const all = (data: LabelledData) => Array.from({ length: data.count }, (_, i) => read(data, i))

describe('nmnistRecordings', () => {
  const images = bars(10)

  it("are the simulator's events, counted, clipped and scaled, whichever thread makes them", async () => {
    const many = bars(70)
    const data = await nmnistRecordings(many, { timeSteps: 5, seed: 3 })
    expect(data).toMatchObject({ count: 70, steps: 5, shape: [2, 34, 34] })
    expect(data.label(67)).toBe(7)
    for (const index of [0, 63, 64, 69]) {
      const events = simulateNmnist(many, index, { seed: 3 })
      const frames = eventFrames({ width: 34, height: 34 }, events, { timeSteps: 5, startUs: 0, durationUs: 300_000 })
      expect(read(data, index)).toEqual(frames.data.map((n) => Math.min(n, 4) / 4))
      expect(frames.data.some((n) => n > 0)).toBe(true)
    }
  })

  it('come from the cache the second time, and are others for another seed', async () => {
    const options = { timeSteps: 3, cache: join(folder, 'a'), onNotice: () => expect.unreachable() }
    const made: number[] = []
    const first = await nmnistRecordings(images, { ...options, onProgress: (done) => made.push(done) })
    expect(made.at(-1)).toBe(10)
    const again = await nmnistRecordings(images, { ...options, onProgress: () => expect.unreachable() })
    expect(all(again)).toEqual(all(first))
    const other = await nmnistRecordings(images, { ...options, seed: 1 })
    expect(all(other)).not.toEqual(all(first))
    expect(all(await nmnistRecordings(images, { ...options, count: 4 }))).toEqual(all(first).slice(0, 4))
    expect(readdirSync(options.cache).length).toBe(3)
  })

  it('says aloud that a file is damaged, and makes it again', async () => {
    const cache = join(folder, 'b')
    const notices: string[] = []
    const options = { timeSteps: 2, count: 3, cache, onNotice: (text: string) => notices.push(text) }
    const whole = all(await nmnistRecordings(images, options))
    const path = join(cache, readdirSync(cache)[0]!)
    const bytes = readFileSync(path)
    const flipped = Buffer.from(bytes)
    flipped[bytes.length - 700]! ^= 1
    const other = Buffer.from(bytes)
    other.write('x', 20)
    const damages: readonly [Uint8Array, string][] = [
      [flipped, 'its hash is wrong'],
      [bytes.subarray(0, -1), 'bytes instead of'],
      [other, 'in another way'],
      [Buffer.from('nothing'), 'does not hold recordings'],
      [Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(8, 255)]), 'its header has'],
    ]
    for (const [damaged, why] of damages) {
      writeFileSync(path, damaged)
      expect(all(await nmnistRecordings(images, options))).toEqual(whole)
      expect(notices.at(-1)).toContain(why)
      expect(readFileSync(path)).toEqual(bytes)
    }
    expect(notices.length).toBe(damages.length)
  })

  it('stops when told to, and keeps nothing', async () => {
    const cache = join(folder, 'c')
    const gone = nmnistRecordings(images, { timeSteps: 2, cache, signal: AbortSignal.abort() })
    await expect(gone).rejects.toThrow(/cancelled after 0 of 10/)
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    const stopped = nmnistRecordings(bars(400), { timeSteps: 2, cache, onProgress, signal: controller.signal })
    await expect(stopped).rejects.toThrow(CancelledError)
    await expect(stopped).rejects.toThrow(/cancelled after \d+ of 400/)
    expect(() => readdirSync(cache)).toThrow(/ENOENT/)
  })

  it.each([{ timeSteps: 0 }, { timeSteps: 2.5 }, { timeSteps: 2, count: 11 }, { timeSteps: 2, count: 0 }])(
    'refuses %o',
    async (options) => {
      await expect(nmnistRecordings(images, options)).rejects.toThrow(InvalidArgumentError)
    },
  )

  it('have a first part', async () => {
    const data = await nmnistRecordings(images, { timeSteps: 1, count: 3 })
    const part = subset(data, 2)
    expect([part.count, part.label(1)]).toEqual([2, 1])
    expect(all(part)).toEqual(all(data).slice(0, 2))
    expect(() => subset(data, 4)).toThrow(InvalidArgumentError)
  })
})
