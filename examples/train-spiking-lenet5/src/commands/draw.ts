import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { loadModel } from '@he-ml/snn-training/node'
import { Command } from 'commander'
import { openKernels } from '../kernels.ts'
import { drawModel } from '../model/pictures.ts'
import { samplesFor } from '../training/recipe-data.ts'
import { addCommon, type CommonOptions, integerFrom, modelPath, type Surroundings } from './common.ts'

interface Options extends CommonOptions {
  readonly out: string
  readonly digits?: readonly number[]
}

const list = (text: string): number[] => text.split(',').map(integerFrom(0))

/** `draw`: what a model's neurons do. */
export const drawCommand = ({ show, signal }: Surroundings): Command =>
  addCommon(new Command('draw'))
    .description('membrane traces, spike rasters and gradient windows of a model for some test digits')
    .argument('<model>', 'path of its .json or .safetensors', modelPath)
    .option('--digits <list>', 'which test digits, for example 0,3,18; default: the first of each class', list)
    .option('--out <folder>', 'where the pictures go', 'demo-output/training/pictures')
    .action(async (path: string, { data: folder, samples, out, digits, ...options }: Options) => {
      await using kernels = openKernels({ ...options, onNotice: show.notice })
      const { network } = await loadModel(path, { kernels: kernels.kernels })
      // recordings take a while to simulate: no more of them than are looked at
      const needed = samples ?? (digits ? Math.max(...digits) + 1 : 100)
      const data = await samplesFor(network, { folder, samples: needed, show, signal })
      const missing = digits?.find((digit) => digit >= data.count)
      if (missing !== undefined)
        throw new InvalidArgumentError(`draw: expected digits below ${data.count}, got ${missing}`)
      await mkdir(out, { recursive: true })
      for (const [name, svg] of Object.entries(await drawModel(network, data, digits ? { samples: digits } : {}))) {
        const file = join(out, `${basename(path)}-${name}`)
        await writeFile(file, svg)
        show.line(file)
      }
    })
