/** he-ml import: a NIR network as the two files of a spiking model, which every other command takes. */

import { basename } from 'node:path'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { encodeSpikingModel } from '@he-ml/model/spiking'
import { importNir, spikingModelOfNir } from '@he-ml/model-import'
import { buildSpikingModel } from '@he-ml/snn-layers'
import { type Command, Option } from 'commander'
import { aboutFile } from '../files/about-file.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { besideOf } from '../files/model-file.ts'
import { MAX_MODEL_BYTES } from '../files/size-limits.ts'
import { print } from '../terminal/output.ts'
import { assertWritableFolder, type CommonOptions, decimal, integer, withOutput } from './common.ts'

interface ImportOptions extends CommonOptions {
  readonly out: string
  readonly dt: number
  readonly timeSteps: number
  readonly method: 'euler' | 'exact'
  readonly input: 'static' | 'events'
}

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description('turn a NIR network into a spiking model file, in discrete time')
    .argument('<file>', 'network in NIR')
    .requiredOption('-o, --out <file>', 'description of the model; its weights go beside it, as .safetensors')
    .requiredOption('--dt <seconds>', 'length of a time step', decimal(1e-9, 1e9))
    .requiredOption('--time-steps <n>', 'steps that the network runs', integer(1, 1024))
    .addOption(
      new Option('--method <how>', "a step of the neurons' equations: as most frameworks train them, or exactly")
        .choices(['euler', 'exact'])
        .default('euler'),
    )
    .addOption(
      new Option('--input <kind>', 'one tensor, the same at every step, or a frame of events for each')
        .choices(['static', 'events'])
        .default('static'),
    )
  withOutput(command).action(async (file: string, options: ImportOptions) => {
    const beside = besideOf(options.out)
    await assertWritableFolder(options.out)
    for (const path of [options.out, beside]) await assertOutputApart(path, { files: [file] })
    const bytes = await readOrdinaryFile(file, { maxBytes: MAX_MODEL_BYTES, what: 'a model' })
    const { dt, timeSteps, method, input } = options
    const network = await aboutFile(
      file,
      (async () =>
        spikingModelOfNir(await importNir(bytes, { maxBytes: MAX_MODEL_BYTES }), {
          ...{ dt, timeSteps, method, inputTime: input === 'events' ? 'perStep' : 'static' },
          name: nameOf(file),
        }))(),
    )
    // what cannot run encrypted is said now
    const model = await aboutFile(file, (async () => buildSpikingModel(network))())
    const { description, weights } = encodeSpikingModel(network)
    await writeFileAtomic(beside, weights)
    await writeFileAtomic(options.out, new TextEncoder().encode(description))
    const layers = model.nodes.map(({ name, layer }) => ({ name, kind: layer.kind }))
    print(options, { model: options.out, weights: beside, input: model.inputShape, timeSteps, layers }, [
      `wrote ${options.out} and ${beside}: input [${model.inputShape}], ${timeSteps} time steps`,
      ...layers.map(({ name, kind }) => `  ${name}: ${kind}`),
    ])
  })
}

const nameOf = (file: string): string => basename(file).replace(/\.(nir|h5|hdf5)$/i, '') || 'nir'
