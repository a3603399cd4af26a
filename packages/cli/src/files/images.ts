/** Inputs of a model: MNIST or CIFAR-10 folders, IDX, CIFAR or NumPy files, or tensors as JSON. */
import { stat } from 'node:fs/promises'
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { ordinaryFileSize } from '@he-ml/ckks-core/node'
import {
  CIFAR_NORMALIZATION,
  imageTensor,
  type LabelledImages,
  loadCifar10,
  loadMnist,
  MNIST_NORMALIZATION,
  type Normalization,
  normalize,
  readCifar,
  readIdx,
  readNumpy,
} from '@he-ml/datasets'
import { createTensor, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { aboutFile } from './about-file.ts'
import { readText } from './read-text.ts'
import { MAX_JSON_BYTES } from './size-limits.ts'

export interface ImageSource {
  readonly count: number
  readonly label?: (index: number) => number
  tensor(index: number): Tensor
}

export interface ImageOptions {
  readonly split: 'train' | 'test'
  /** 'mnist', 'cifar10', 'none' or "mean/std" lists such as "0.5/0.25" or "0.5,0.5,0.5/0.2,0.2,0.2". */
  readonly normalization: string
}

/** @throws DatasetFormatError, FormatError, InvalidArgumentError, FileSystemError, naming the file or folder */
export function openImages(path: string, shape: Shape, options: ImageOptions): Promise<ImageSource> {
  return aboutFile(path, open(path, shape, options))
}

async function open(path: string, shape: Shape, options: ImageOptions): Promise<ImageSource> {
  const isFolder = (await stat(path)).isDirectory()
  // the readers of data sets open what they are given: a pipe must not get there
  if (!isFolder) await ordinaryFileSize(path)
  if (!isFolder && path.endsWith('.json')) return tensorsOf(path, shape)
  if (!isFolder && /\.npy(\.gz)?$/i.test(path)) return arrayOf(path, shape, options)
  const images = isFolder ? await folder(path, shape, options) : await file(path)
  if (String(images.shape) !== String(shape))
    throw new InvalidArgumentError(`${path}: images are [${images.shape}], the model takes [${shape}]`)
  const normalization = normalizationOf(options.normalization, shape[0]!)
  return {
    count: images.count,
    ...(images.classes > 0 ? { label: (index: number) => images.labels[index]! } : {}),
    tensor: (index) => {
      const { data } = imageTensor(images, index, normalization)
      return createTensor(shape, data)
    },
  }
}

function folder(path: string, shape: Shape, { split }: ImageOptions): Promise<LabelledImages> {
  return shape[0] === 3 ? loadCifar10(path, { split }) : loadMnist(path, { split })
}

async function file(path: string): Promise<LabelledImages> {
  if (/\.bin(\.gz)?$/.test(path)) return readCifar(path)
  const { shape, data, type } = await readIdx(path)
  if (type !== 'uint8' || shape.length !== 3)
    throw new InvalidArgumentError(
      `${path}: expected IDX images of uint8 [count, height, width], got ${type} [${shape}]`,
    )
  const [count, height, width] = shape as [number, number, number]
  return { shape: [1, height, width], count, classes: 0, pixels: data as Uint8Array, labels: new Uint8Array(count) }
}

/** A JSON file: one flat array of numbers, or an array of them; already normalised. */
async function tensorsOf(path: string, shape: Shape): Promise<ImageSource> {
  const text = await readText(path, { maxBytes: MAX_JSON_BYTES, what: 'a file of tensors' })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`${path}: not JSON: ${(error as Error).message}`)
  }
  const list = Array.isArray(json) && Array.isArray(json[0]) ? json : [json]
  const tensors = list.map((values: unknown, i) => {
    if (
      !Array.isArray(values) ||
      values.length !== sizeOf(shape) ||
      !values.every((v) => typeof v === 'number' && Number.isFinite(v))
    )
      throw new FormatError(
        `${path}: input ${i} must be a flat list of ${sizeOf(shape)} finite numbers, for shape [${shape}]`,
      )
    return createTensor(shape, Float64Array.from(values as number[]))
  })
  return { count: tensors.length, tensor: (index) => tensors[index]! }
}

/** A NumPy array of one input, or of several; pixels from 0 to 255 as bytes, or numbers that are normalised already. */
async function arrayOf(path: string, shape: Shape, { normalization }: ImageOptions): Promise<ImageSource> {
  const { type, shape: given, data } = await readNumpy(path)
  const size = sizeOf(shape)
  const one = shape[0] === 1 ? [shape, shape.slice(1)] : [shape]
  const count = one.map((each) => countOf(given, each)).find((n) => n !== undefined)
  if (count === undefined) throw new InvalidArgumentError(`${path}: ${unfitting(given, shape)}`)
  if (count === 0) throw new InvalidArgumentError(`${path}: an array of no inputs`)
  if (type !== 'uint8' && !type.startsWith('float'))
    throw new InvalidArgumentError(
      `${path}: numbers of type ${type}: save pixels from 0 to 255 as array.astype("uint8"), what is normalised already as "float32"`,
    )
  const isRaw = normalization === 'none' || shape.length !== 3
  if (type === 'uint8' && isRaw && normalization !== 'none')
    throw new InvalidArgumentError(
      `${path}: bytes for an input of shape [${shape}]: only images are normalised, use --normalize none (values from 0 to 1) or save "float32"`,
    )
  const pixels = type === 'uint8' && !isRaw ? normalizationOf(normalization, shape[0]!) : undefined
  return {
    count,
    tensor: (index) => {
      const values = Float64Array.from(data.subarray(index * size, (index + 1) * size))
      const at = values.findIndex((v) => !Number.isFinite(v))
      if (at >= 0) throw new FormatError(`${path}: input ${index}: value ${at} is ${values[at]}, expected a number`)
      if (type !== 'uint8') return createTensor(shape, values)
      const image = { shape: [...shape], data: values.map((v) => v / 255) }
      return createTensor(shape, pixels ? normalize(image, pixels).data : image.data)
    },
  }
}

/** How many inputs an array holds: one without a dimension for them; undefined where it holds others. */
function countOf(given: readonly number[], each: readonly number[]): number | undefined {
  if (String(given) === String(each)) return 1
  return String(given.slice(1)) === String(each) ? given[0] : undefined
}

function unfitting(given: readonly number[], shape: Shape): string {
  const [channels, ...plane] = shape
  const isLast = [given, given.slice(1)].some((each) => String(each) === String([...plane, channels]))
  const advice = isLast ? ': channels come last, save numpy.moveaxis(array, -1, -3)' : ''
  return `the array has shape [${given}], the model takes [${shape}] or [count,${shape}]${advice}`
}

function normalizationOf(text: string, channels: number): Normalization {
  if (text === 'mnist') return MNIST_NORMALIZATION
  if (text === 'cifar10') return CIFAR_NORMALIZATION
  if (text === 'auto') return channels === 3 ? CIFAR_NORMALIZATION : MNIST_NORMALIZATION
  if (text === 'none') return { mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) }
  const [mean, std] = text.split('/').map((part) => part.split(',').map(Number))
  if (
    !mean ||
    !std ||
    mean.length !== channels ||
    std.length !== channels ||
    [...mean, ...std].some((v) => !Number.isFinite(v)) ||
    std.some((v) => v <= 0)
  )
    throw new InvalidArgumentError(
      `--normalize: expected mnist, cifar10, none or ${channels} means / ${channels} deviations, got "${text}"`,
    )
  return { mean, std }
}

/** "3", "0-9", "1,4,7-8" -> indices. */
export function parseIndices(text: string, count: number): number[] {
  const out: number[] = []
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    const from = Number(match?.[1])
    const to = Number(match?.[2] ?? match?.[1])
    if (!match || to < from || to >= count)
      throw new InvalidArgumentError(`--index: expected numbers or ranges from 0 to ${count - 1}, got "${part}"`)
    for (let i = from; i <= to; i++) out.push(i)
  }
  return out
}
