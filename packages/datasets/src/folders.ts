/** Data sets as folders of their usual file names, each file gzip or not. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readCifar } from './cifar.ts'
import { DatasetFormatError } from './errors.ts'
import { type IdxArray, readIdx } from './idx.ts'
import type { LabelledImages } from './images.ts'
import { namedFailure } from './named-failure.ts'
import type { ReadOptions } from './source.ts'

/** Options of loaders of whole sets. */
export interface LoadOptions extends ReadOptions {
  /** Default 'test'. */
  readonly split?: 'train' | 'test'
}

/**
 * MNIST, or anything in its format and file names: [1, height, width] images and labels below 10.
 * @throws DatasetFormatError when files are missing, malformed or of different lengths
 * @example
 * ```ts no-run
 * const digits = await loadMnist('data/mnist', { split: 'train' })
 * ```
 */
export async function loadMnist(directory: string, options: LoadOptions = {}): Promise<LabelledImages> {
  const prefix = (options.split ?? 'test') === 'train' ? 'train' : 't10k'
  const [imagePath] = await find(directory, new RegExp(`^${prefix}-images[-.]idx3-ubyte(\\.gz)?$`))
  const [labelPath] = await find(directory, new RegExp(`^${prefix}-labels[-.]idx1-ubyte(\\.gz)?$`))
  const images = await readIdx(imagePath!, options)
  const labels = await readIdx(labelPath!, options)
  try {
    return combineIdx(images, labels)
  } catch (error) {
    throw namedFailure(`${imagePath} and ${labelPath}`, error)
  }
}

/**
 * Images and labels of two IDX arrays.
 * @param classes labels are below it; default 10
 * @throws DatasetFormatError when they do not fit each other
 */
export function combineIdx(images: IdxArray, labels: IdxArray, classes = 10): LabelledImages {
  if (images.type !== 'uint8' || images.shape.length !== 3)
    throw new DatasetFormatError(
      `expected images of uint8 [count, height, width], got ${images.type} [${images.shape}]`,
    )
  if (labels.type !== 'uint8' || labels.shape.length !== 1)
    throw new DatasetFormatError(`expected labels of uint8 [count], got ${labels.type} [${labels.shape}]`)
  const [count, height, width] = images.shape as [number, number, number]
  if (labels.shape[0] !== count) throw new DatasetFormatError(`${count} images, but ${labels.shape[0]} labels`)
  const wrong = (labels.data as Uint8Array).findIndex((label) => label >= classes)
  if (wrong >= 0) throw new DatasetFormatError(`label ${wrong} is ${labels.data[wrong]}, expected below ${classes}`)
  const [pixels, classOf] = [images.data as Uint8Array, labels.data as Uint8Array]
  return { shape: [1, height, width], count, classes, pixels, labels: classOf }
}

/**
 * CIFAR-10: test_batch.bin, or all data_batch_*.bin that are there, in order.
 * @throws DatasetFormatError when files are missing or malformed
 */
export async function loadCifar10(directory: string, options: LoadOptions = {}): Promise<LabelledImages> {
  const name = (options.split ?? 'test') === 'train' ? 'data_batch_[1-5]' : 'test_batch'
  const paths = await find(directory, new RegExp(`^${name}\\.bin(\\.gz)?$`))
  const batches: LabelledImages[] = []
  for (const path of paths) batches.push(await readCifar(path, options))
  return {
    shape: [3, 32, 32],
    classes: 10,
    count: batches.reduce((sum, b) => sum + b.count, 0),
    pixels: concatenate(batches.map((b) => b.pixels)),
    labels: concatenate(batches.map((b) => b.labels)),
  }
}

/** Paths of the files that match, sorted; a name with and without .gz counts once. */
async function find(directory: string, pattern: RegExp): Promise<string[]> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (cause) {
    throw new DatasetFormatError(
      `cannot read the folder ${directory}: give the folder that holds the data set's files`,
      {
        cause,
      },
    )
  }
  const found = names.filter((n) => pattern.test(n)).sort()
  const unique = found.filter((n, i) => !(n.endsWith('.gz') && i > 0 && found[i - 1] === n.slice(0, -3)))
  if (unique.length === 0)
    throw new DatasetFormatError(`no file matches ${pattern.source} in ${directory}: download the data set there`)
  return unique.map((n) => join(directory, n))
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
