import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  DatasetFormatError,
  type EventStatistics,
  encodeNmnist,
  eventStatistics,
  type LabelledImages,
  listRecordings,
  loadMnist,
  readAedat2,
  readNmnist,
  simulateNmnist,
  writeRecordingSet,
} from '../index.ts'

const images: LabelledImages = {
  shape: [1, 28, 28],
  count: 6,
  classes: 10,
  pixels: Uint8Array.from({ length: 6 * 784 }, (_, i) => (i % 28 < 9 + Math.floor(i / 784) ? 255 : 0)),
  labels: Uint8Array.of(5, 0, 4, 5, 9, 0),
}

describe('sets of recordings', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'he-ml-set-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('lie by class, one file per image, and report their progress', async () => {
    const seen: number[] = []
    const count = await writeRecordingSet(images, folder, { kind: 'nmnist', onProgress: (p) => seen.push(p.done) })
    expect(count).toBe(6)
    expect(seen).toEqual([1, 2, 3, 4, 5, 6])
    const files = await listRecordings(folder)
    expect(files.map((f) => [f.label, f.path.slice(folder.length)])).toEqual([
      [0, '/0/00002.bin'],
      [0, '/0/00006.bin'],
      [4, '/4/00003.bin'],
      [5, '/5/00001.bin'],
      [5, '/5/00004.bin'],
      [9, '/9/00005.bin'],
    ])
    expect(new Uint8Array(readFileSync(files[2]!.path))).toEqual(encodeNmnist(simulateNmnist(images, 2)))
  })

  it('go on where they were stopped, with the same bytes as without a stop', async () => {
    const stop = new AbortController()
    const options = { kind: 'nmnist', seed: 3 } as const
    const stopped = writeRecordingSet(images, folder, {
      ...options,
      signal: stop.signal,
      onProgress: ({ done }) => done === 2 && stop.abort(new Error('stopped')),
    })
    await expect(stopped).rejects.toThrow('stopped')
    const first = await listRecordings(folder)
    expect(first).toHaveLength(2)
    // what a killed process leaves behind
    await writeFile(`${first[0]!.path}.partial`, 'half')
    const progress: number[] = []
    await writeRecordingSet(images, folder, { ...options, onProgress: (p) => progress.push(p.done) })
    expect(progress).toEqual([3, 4, 5, 6])
    expect(existsSync(`${first[0]!.path}.partial`)).toBe(false)
    for (const { path } of await listRecordings(folder)) {
      const index = Number(/(\d+)\.bin$/.exec(path)![1]) - 1
      expect(new Uint8Array(readFileSync(path))).toEqual(encodeNmnist(simulateNmnist(images, index, { seed: 3 })))
    }
  })

  it('never mix', async () => {
    await writeRecordingSet(images, folder, { kind: 'nmnist' })
    await expect(writeRecordingSet(images, folder, { kind: 'nmnist', seed: 1 })).rejects.toThrow(/other options/)
    await expect(writeRecordingSet({ ...images, count: 5 }, folder, { kind: 'nmnist' })).rejects.toThrow(/other images/)
    await expect(writeRecordingSet(images, folder, { kind: 'x' as 'dvs' })).rejects.toThrow(/'nmnist' or 'dvs'/)
    await expect(listRecordings(join(folder, 'none'))).rejects.toThrow(DatasetFormatError)
  })

  it("of moving images are the DVS128's", async () => {
    const one = { ...images, count: 1 }
    await writeRecordingSet(one, folder, { kind: 'dvs', sensor: { thresholdOn: 1, thresholdOff: 1 } })
    const [file] = await listRecordings(folder)
    expect(file!.path).toMatch(/5\/00001\.aedat$/)
    const recording = readAedat2(file!.path)
    expect((await eventStatistics(recording, recording)).count).toBeGreaterThan(1000)
  })
})

const mnist = join(process.env.HE_ML_SHARED ?? resolve(import.meta.dirname, '../../../../../shared'), 'data/mnist')
const present = existsSync(mnist)
if (!present) console.warn('datasets: no ../shared/data/mnist, the statistics of simulated digits are not checked')

describe.skipIf(!present)('simulated digits', () => {
  it("are about as eventful as N-MNIST's: some 4,000 events, half of them ON, over 300 ms", async () => {
    const digits = await loadMnist(mnist)
    const all: EventStatistics[] = []
    for (let i = 0; i < 200; i++)
      all.push(await eventStatistics({ width: 34, height: 34 }, readNmnist(encodeNmnist(simulateNmnist(digits, i)))))
    const mean = (key: 'count' | 'onShare' | 'last' | 'meanX' | 'meanY') =>
      all.reduce((sum, s) => sum + s[key], 0) / all.length
    expect(mean('count')).toBeGreaterThan(3700)
    expect(mean('count')).toBeLessThan(4700)
    expect(Math.abs(mean('onShare') - 0.5)).toBeLessThan(0.03)
    expect(mean('last')).toBeGreaterThan(290_000)
    expect(Math.abs(mean('meanX') - 17)).toBeLessThan(1.5)
    expect(Math.abs(mean('meanY') - 17)).toBeLessThan(1.5)
  })
})
