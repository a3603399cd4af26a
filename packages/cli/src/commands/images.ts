/** The images that a command encrypts: options, and what they choose. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Tensor } from '@he-ml/model'
import type { Plan } from '@he-ml/pipeline'
import { type Command, Option } from 'commander'
import { openImages, parseIndices } from '../files/images.ts'

export interface ImageChoice {
  readonly data: string
  readonly index: string
  readonly split: 'train' | 'test'
  readonly normalize: string
}

/** Adds --data, --index, --split and --normalize. */
export function withImages(command: Command): Command {
  return command
    .requiredOption(
      '-d, --data <path>',
      'images: MNIST or CIFAR-10 folder, IDX, CIFAR or NumPy file, or JSON: a list with one list of numbers an input, flat',
    )
    .option('-i, --index <list>', 'which images, such as 7 or 0-4095', '0')
    .addOption(new Option('--split <name>', 'part of the data set').choices(['train', 'test']).default('test'))
    .option('--normalize <spec>', 'auto, mnist, cifar10, none or means/deviations', 'auto')
}

/** @throws InvalidArgumentError for more than the plan takes at a time; as `openImages` */
export async function chooseImages(
  { data, index, split, normalize }: ImageChoice,
  { model, batch }: Plan,
): Promise<{ readonly indices: readonly number[]; readonly tensors: readonly Tensor[] }> {
  const images = await openImages(data, model.input, { split, normalization: normalize })
  const indices = parseIndices(index, images.count)
  if (indices.length > batch)
    throw new InvalidArgumentError(
      `the plan takes ${batch} image${batch === 1 ? '' : 's'} at a time, --index names ${indices.length}`,
    )
  return { indices, tensors: indices.map((i) => images.tensor(i)) }
}
