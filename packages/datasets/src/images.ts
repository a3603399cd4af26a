/** Labelled images as they lie in the files, and single ones as normalised tensors. */
import { DatasetFormatError } from './errors.ts'

/** A clear tensor, row-major; the same shape of object as the other packages' Tensor. */
export interface ImageTensor {
  /** [channels, height, width]. */
  readonly shape: readonly number[]
  /** As many values as the shape has elements. */
  readonly data: Float64Array
}

/** Images of one shape with a class each. */
export interface LabelledImages {
  /** [channels, height, width]. */
  readonly shape: readonly [number, number, number]
  /** How many images there are. */
  readonly count: number
  /** How many classes there are. */
  readonly classes: number
  /** count x channels x height x width bytes, 0 to 255. */
  readonly pixels: Uint8Array
  /** One per image: the class, from 0. */
  readonly labels: Uint8Array
  /** CIFAR-100 only: the 20 superclasses. */
  readonly coarseLabels?: Uint8Array
}

/** Per channel, on pixels in [0, 1]: (pixel - mean) / std. */
export interface Normalization {
  /** One per channel. */
  readonly mean: readonly number[]
  /** One per channel, positive. */
  readonly std: readonly number[]
}

/** What networks for MNIST are usually trained with. */
export const MNIST_NORMALIZATION: Normalization = { mean: [0.1307], std: [0.3081] }
/** What networks for CIFAR-10 and CIFAR-100 are usually trained with. */
export const CIFAR_NORMALIZATION: Normalization = { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] }

/**
 * Image `index` as [channels, height, width], pixels in [0, 1], then normalised where asked.
 * @throws DatasetFormatError for an index or a normalisation that does not fit
 * @example
 * ```ts no-run
 * const digits = await loadMnist('data/mnist', { split: 'test' })
 * model.forward(imageTensor(digits, 0, MNIST_NORMALIZATION))
 * ```
 */
export function imageTensor(images: LabelledImages, index: number, normalization?: Normalization): ImageTensor {
  assertImages('imageTensor', images)
  if (!Number.isInteger(index) || index < 0 || index >= images.count)
    throw new DatasetFormatError(`image ${index} does not exist: there are ${images.count}`)
  const [channels, height, width] = images.shape
  const size = channels * height * width
  const bytes = images.pixels.subarray(index * size, (index + 1) * size)
  const raw: ImageTensor = { shape: [...images.shape], data: Float64Array.from(bytes, (b) => b / 255) }
  return normalization ? normalize(raw, normalization) : raw
}

/**
 * (x - mean) / std per channel of a [channels, height, width] tensor.
 * @throws DatasetFormatError when the numbers of channels differ or a std is not positive
 */
export function normalize(image: ImageTensor, normalization: Normalization): ImageTensor {
  if (!Array.isArray(image?.shape) || !(image.data instanceof Float64Array))
    throw wrong('normalize', 'image', 'a tensor, as imageTensor makes one', image)
  const { mean, std } = normalization ?? {}
  if (!Array.isArray(mean) || !Array.isArray(std))
    throw wrong('normalize', 'normalization', 'an object with the lists mean and std', normalization)
  const channels = image.shape[0] ?? 0
  if (image.shape.length !== 3 || mean.length !== channels || std.length !== channels)
    throw new DatasetFormatError(
      `normalisation for ${mean.length} channels does not fit an image of shape [${image.shape}]`,
    )
  if (std.some((s) => !(s > 0))) throw new DatasetFormatError(`standard deviations must be positive, got [${std}]`)
  const plane = image.data.length / channels
  const data = image.data.map((x, i) => (x - mean[Math.floor(i / plane)]!) / std[Math.floor(i / plane)]!)
  return { shape: image.shape, data }
}

/** The images at these positions, copied. @throws DatasetFormatError for one that does not exist */
export function selectImages(images: LabelledImages, indices: readonly number[]): LabelledImages {
  assertImages('selectImages', images)
  if (!Array.isArray(indices)) throw wrong('selectImages', 'indices', 'a list of positions', indices)
  const size = images.shape[0] * images.shape[1] * images.shape[2]
  const pixels = new Uint8Array(indices.length * size)
  indices.forEach((index, i) => {
    if (!Number.isInteger(index) || index < 0 || index >= images.count)
      throw new DatasetFormatError(`image ${index} does not exist: there are ${images.count}`)
    pixels.set(images.pixels.subarray(index * size, (index + 1) * size), i * size)
  })
  const pick = (from: Uint8Array) => Uint8Array.from(indices, (i) => from[i]!)
  const { coarseLabels } = images
  return {
    ...images,
    count: indices.length,
    pixels,
    labels: pick(images.labels),
    ...(coarseLabels && { coarseLabels: pick(coarseLabels) }),
  }
}

/** What loaders give; they are awaited. @throws DatasetFormatError */
function assertImages(call: string, images: LabelledImages): void {
  if (Array.isArray(images?.shape) && images.pixels instanceof Uint8Array && images.labels instanceof Uint8Array) return
  throw wrong(call, 'images', 'labelled images, as loadMnist or parseCifar gives them', images)
}

function wrong(call: string, name: string, wanted: string, given: unknown): DatasetFormatError {
  const isPromise = typeof (given as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function'
  const got = isPromise ? 'a promise: await it first' : given === null ? 'null' : `a value of type ${typeof given}`
  return new DatasetFormatError(`${call}: ${name} must be ${wanted}, got ${got}`)
}
