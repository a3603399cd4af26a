import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CIFAR_NORMALIZATION,
  DatasetFileError,
  DatasetFormatError,
  DatasetUnsupportedError,
  encodeIdx,
  type IdxType,
  imageTensor,
  loadCifar10,
  loadMnist,
  MNIST_NORMALIZATION,
  parseCifar,
  parseIdx,
  readCifar,
  readIdx,
  selectImages,
} from './index.ts'

const types: IdxType[] = ['uint8', 'int8', 'int16', 'int32', 'float32', 'float64']
const arrays = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, int32: Int32Array } as const
const floats = { float32: Float32Array, float64: Float64Array } as const

function sample(type: IdxType, shape: readonly number[]) {
  const size = shape.reduce((a, b) => a * b, 1)
  const Type = { ...arrays, ...floats }[type]
  return { type, shape, data: new Type(Array.from({ length: size }, (_, i) => (i * 37) % 101)) }
}

const cifarRecord = (label: number, fill: number) => [label, ...new Array(3072).fill(fill)]

describe('IDX', () => {
  it('reads a hand-made file', () => {
    const bytes = Uint8Array.of(0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe)
    expect(parseIdx(bytes)).toEqual({ type: 'int16', shape: [1, 2], data: Int16Array.of(258, -2) })
  })

  it('returns what was written, every type, gzip or not', () => {
    for (const type of types) {
      const array = sample(type, [3, 4, 2])
      expect(parseIdx(encodeIdx(array))).toEqual(array)
      expect(parseIdx(gzipSync(encodeIdx(array)))).toEqual(array)
    }
  })

  it('says what is wrong', () => {
    expect(() => parseIdx(Uint8Array.of(0, 0))).toThrow(/at least 4 bytes, got 2/)
    expect(() => parseIdx(Uint8Array.of(1, 0, 8, 1))).toThrow(/two zero bytes/)
    expect(() => parseIdx(Uint8Array.of(0, 0, 7, 1))).toThrow(/0x7 at byte 2/)
    expect(() => parseIdx(Uint8Array.of(0, 0, 8, 0))).toThrow(/dimensions, got 0/)
    expect(() => parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 1))).toThrow(/needs 3 bytes after the header, got 1/)
    expect(() => parseIdx(Uint8Array.of(0, 0, 0x0e, 3, ...new Array(12).fill(255)))).toThrow(DatasetFormatError)
    expect(() => parseIdx(gzipSync(new Uint8Array(5000)), { maxBytes: 1000 })).toThrow(/more than 1000 bytes/)
    expect(() => parseIdx('x' as unknown as Uint8Array)).toThrow(/expected a path or bytes/)
    expect(() => encodeIdx({ type: 'uint8', shape: [3], data: new Uint8Array(2) })).toThrow(/needs 3 values/)
  })
})

describe('CIFAR', () => {
  it('separates labels and planes', () => {
    const images = parseCifar(Uint8Array.from([...cifarRecord(3, 10), ...cifarRecord(9, 255)]))
    expect(images).toMatchObject({ count: 2, shape: [3, 32, 32], classes: 10 })
    expect([...images.labels]).toEqual([3, 9])
    expect(imageTensor(images, 1).data.every((x) => x === 1)).toBe(true)
    const fine = parseCifar(Uint8Array.from([19, ...cifarRecord(99, 1)]), { classes: 100 })
    expect([fine.labels[0], fine.coarseLabels?.[0]]).toEqual([99, 19])
  })

  it('says what is wrong', () => {
    expect(() => parseCifar(new Uint8Array(0))).toThrow(/multiple of 3073/)
    expect(() => parseCifar(Uint8Array.from(cifarRecord(10, 0)))).toThrow(/record 0 has label 10/)
    expect(() => parseCifar(Uint8Array.from([20, ...cifarRecord(1, 0)]), { classes: 100 })).toThrow(/coarse label 20/)
  })
})

describe('folders', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'he-ml-data-'))
    const labels = { type: 'uint8' as const, shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) }
    await writeFile(join(folder, 't10k-images-idx3-ubyte'), encodeIdx(sample('uint8', [5, 4, 3])))
    await writeFile(join(folder, 't10k-labels-idx1-ubyte.gz'), gzipSync(encodeIdx(labels)))
    await writeFile(join(folder, 'data_batch_1.bin'), Uint8Array.from(cifarRecord(1, 7)))
    await writeFile(join(folder, 'data_batch_2.bin.gz'), gzipSync(Uint8Array.from(cifarRecord(2, 8))))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('load under their usual names', async () => {
    const digits = await loadMnist(folder)
    expect(digits).toMatchObject({ count: 5, shape: [1, 4, 3], classes: 10 })
    const tensor = imageTensor(digits, 1, MNIST_NORMALIZATION)
    expect(tensor.shape).toEqual([1, 4, 3])
    expect(tensor.data[0]).toBeCloseTo((((12 * 37) % 101) / 255 - 0.1307) / 0.3081, 12)
    expect([...selectImages(digits, [4, 0]).labels]).toEqual([5, 1])
    const cifar = await loadCifar10(folder, { split: 'train' })
    expect([...cifar.labels]).toEqual([1, 2])
    expect(cifar.pixels[3072]).toBe(8)
  })

  it('say what is missing', async () => {
    await expect(loadMnist(folder, { split: 'train' })).rejects.toThrow(/train-images/)
    await expect(loadMnist(join(folder, 'nowhere'))).rejects.toThrow(DatasetFormatError)
    await expect(loadCifar10(folder)).rejects.toThrow(/test_batch/)
    const path = join(folder, 't10k-images-idx3-ubyte')
    const long = readIdx(path, { maxBytes: 10 })
    await expect(long).rejects.toThrow(`${path}: it has`)
    await expect(long).rejects.toThrow(/limit is 10/)
    await expect(long).rejects.toThrow(DatasetUnsupportedError)
    await expect(readCifar(path)).rejects.toThrow(`${path}: CIFAR-10: expected a positive multiple`)
    await expect(readIdx(folder)).rejects.toThrow(`${folder}: it is a folder, expected a file`)
    await expect(readIdx(join(folder, 'gone'))).rejects.toThrow(DatasetFileError)
    const digits = await loadMnist(folder)
    expect(() => imageTensor(digits, 5)).toThrow(/there are 5/)
    expect(() => imageTensor(digits, 0, { mean: [0, 0], std: [1, 1] })).toThrow(/2 channels/)
  })
})

describe('hostile bytes', () => {
  const files = [
    encodeIdx(sample('uint8', [4, 5, 5])),
    encodeIdx(sample('float64', [7])),
    gzipSync(encodeIdx(sample('int32', [3, 3]))),
    Uint8Array.from([...cifarRecord(3, 1), ...cifarRecord(4, 2)]),
  ]
  it('end in a typed error or a well-formed result, never a crash (6,000 cases)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (file, flips, cut, whole) => {
          const bytes = file.slice(0, whole ? file.length : Math.floor(cut * file.length))
          for (const [at, value] of flips)
            if (bytes.length > 0) bytes[(whole ? at % Math.min(64, bytes.length) : at) % bytes.length] = value
          for (const parse of [parseIdx, parseCifar]) {
            try {
              parse(bytes, { maxBytes: 1 << 20 })
            } catch (error) {
              if (!(error instanceof DatasetUnsupportedError)) expect(error).toBeInstanceOf(DatasetFormatError)
              expect(['Format', 'Unsupported']).toContain((error as DatasetFormatError).code)
            }
          }
        },
      ),
      { numRuns: 6000 },
    )
  })
})

const shared = process.env.HE_ML_SHARED ?? resolve(import.meta.dirname, '../../../../shared')
const present = existsSync(join(shared, 'data/mnist'))
if (!present) console.warn('datasets: no ../shared/data, the tests on real MNIST and CIFAR-10 files are skipped')

describe.skipIf(!present)('real files', () => {
  it('MNIST', async () => {
    const train = await loadMnist(join(shared, 'data/mnist'), { split: 'train' })
    expect(train).toMatchObject({ count: 60_000, shape: [1, 28, 28] })
    expect([...train.labels.slice(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3])
    const mean = train.pixels.reduce((sum, p) => sum + p, 0) / train.pixels.length / 255
    expect(mean).toBeCloseTo(0.1307, 4)
    const test = await loadMnist(join(shared, 'data/mnist'))
    expect(test).toMatchObject({ count: 5000, shape: [1, 28, 28] })
    expect(new Set(test.labels).size).toBe(10)
  })

  it('CIFAR-10', async () => {
    const test = await loadCifar10(join(shared, 'data/cifar10'))
    expect(test).toMatchObject({ count: 512, shape: [3, 32, 32] })
    expect([...test.labels.slice(0, 5)]).toEqual([3, 8, 8, 0, 6])
    // the planes are red, green, blue in that order: the published means of the training set, within what 4,000 images give
    const train = await loadCifar10(join(shared, 'data/cifar10'), { split: 'train' })
    for (const [channel, published] of CIFAR_NORMALIZATION.mean.entries()) {
      let sum = 0
      for (let i = 0; i < train.count; i++)
        for (let k = 0; k < 1024; k++) sum += train.pixels[i * 3072 + channel * 1024 + k]!
      expect(Math.abs(sum / train.count / 1024 / 255 - published)).toBeLessThan(0.004)
    }
    expect((await loadCifar10(join(shared, 'data/cifar10'), { split: 'train' })).count).toBe(4000)
  })
})
