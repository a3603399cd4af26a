/**
 * CIFAR's binary version: records of one label byte (CIFAR-100: coarse, then fine label) and 3,072 pixel bytes, the red,
 * green and blue planes of 32 x 32. (A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.) Order of
 * planes and rows compared with torchvision's reader (datasets/cifar.py: reshape to [3, 32, 32], then to rows of colours) and
 * with the published means by channel.
 */
import { DatasetFormatError } from './errors.ts'
import type { LabelledImages } from './images.ts'
import { decompress, type ReadOptions, readSource, type Source } from './source.ts'

/** Options of {@link readCifar}. */
export interface CifarOptions extends ReadOptions {
  /** 10 or 100; default 10. */
  readonly classes?: 10 | 100
}

const PIXELS = 3 * 32 * 32

/**
 * Parses one CIFAR batch, gzip or not.
 * @throws DatasetFormatError for broken records or labels that are no class; DatasetUnsupportedError beyond the limit
 */
export function parseCifar(input: Uint8Array, options: CifarOptions = {}): LabelledImages {
  const { classes = 10 } = options
  const bytes = decompress(input, options.maxBytes)
  const labelBytes = classes === 10 ? 1 : 2
  const record = labelBytes + PIXELS
  if (bytes.length === 0 || bytes.length % record !== 0)
    throw new DatasetFormatError(
      `CIFAR-${classes}: expected a positive multiple of ${record} bytes, got ${bytes.length}: wrong number of classes, or cut off`,
    )
  const count = bytes.length / record
  const pixels = new Uint8Array(count * PIXELS)
  const labels = new Uint8Array(count)
  const coarseLabels = classes === 100 ? new Uint8Array(count) : undefined
  for (let i = 0; i < count; i++) {
    const at = i * record
    labels[i] = bytes[at + labelBytes - 1]!
    if (labels[i]! >= classes)
      throw new DatasetFormatError(`CIFAR-${classes}: record ${i} has label ${labels[i]}, expected below ${classes}`)
    if (coarseLabels) {
      coarseLabels[i] = bytes[at]!
      if (coarseLabels[i]! >= 20)
        throw new DatasetFormatError(`CIFAR-100: record ${i} has coarse label ${coarseLabels[i]}, expected below 20`)
    }
    pixels.set(bytes.subarray(at + labelBytes, at + record), i * PIXELS)
  }
  return { shape: [3, 32, 32], count, classes, pixels, labels, ...(coarseLabels && { coarseLabels }) }
}

/** Reads one CIFAR batch. @throws as {@link parseCifar}; DatasetFileError when a path cannot be read. Messages name the path. */
export const readCifar = (source: Source, options: CifarOptions = {}): Promise<LabelledImages> =>
  readSource(source, options, (bytes) => parseCifar(bytes, options))
