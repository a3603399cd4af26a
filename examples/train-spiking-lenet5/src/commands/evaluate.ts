import { writeFile } from 'node:fs/promises'
import { loadModel } from '@he-ml/snn-training/node'
import { Command } from 'commander'
import { openKernels } from '../kernels.ts'
import { examinationText } from '../model/examination-text.ts'
import { examine } from '../model/examine.ts'
import { predictionsText } from '../model/predictions-text.ts'
import { samplesFor } from '../training/recipe-data.ts'
import { addCommon, type CommonOptions, modelPath, type Surroundings } from './common.ts'

interface Options extends CommonOptions {
  readonly cache?: string
  readonly predictions?: string
}

/** `evaluate`: how well a model does on the test digits. */
export const evaluateCommand = ({ show, signal }: Surroundings): Command =>
  addCommon(new Command('evaluate'))
    .description('accuracy on the test digits with its confidence interval; spikes, membranes and grids by layer')
    .argument('<model>', 'path of its .json or .safetensors', modelPath)
    .option('--cache <folder>', 'where simulated recordings are kept')
    .option('--predictions <file>', 'write label, answer and scores of every sample there, as CSV')
    .action(async (path: string, { data: folder, cache, samples, predictions, ...options }: Options) => {
      await using kernels = openKernels({ ...options, onNotice: show.notice })
      const { network } = await loadModel(path, { kernels: kernels.kernels })
      const data = await samplesFor(network, { folder, samples, show, signal, ...(cache !== undefined && { cache }) })
      const bar = show.count(`${data.count} test samples`)
      try {
        const examination = await examine(network, data, { onProgress: bar.update, signal })
        bar.stop()
        show.line(examinationText(examination))
        if (predictions === undefined) return
        await writeFile(predictions, predictionsText(examination.predictions))
        show.line(predictions)
      } finally {
        bar.stop()
      }
    })
