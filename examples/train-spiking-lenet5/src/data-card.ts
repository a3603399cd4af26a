/** The page about the models in a folder: what they are, what they were trained on, how well they do, what they are for. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import type { Network } from '@he-ml/snn-training'
import { loadModel } from '@he-ml/snn-training/node'
import type { z } from 'zod'
import { wilsonInterval } from './model/interval.ts'
import { neuronLayers } from './model/neuron-layers.ts'
import { percent } from './terminal/index.ts'
import { factsSchema, parameterCount } from './training/facts.ts'

interface Model {
  readonly name: string
  readonly network: Network
  readonly facts: z.infer<typeof factsSchema>
}

/**
 * Markdown about all models of a folder, in order of their names.
 *
 * @throws FormatError for a damaged model, or one that does not say how it was made
 */
export async function dataCard(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'))
  const models: Model[] = []
  for (const name of files.map((file) => file.slice(0, -'.json'.length)).sort())
    models.push(await readModel(folder, name))
  const parts = [HEAD, ...(models.length > 0 ? [table(models), ...models.map(section)] : ['No models yet.']), FOOT]
  return `${parts.join('\n\n')}\n`
}

async function readModel(folder: string, name: string): Promise<Model> {
  const { network, about } = await loadModel(join(folder, name))
  const facts = factsSchema.safeParse(about)
  if (facts.success) return { name, network, facts: facts.data }
  const { path, message } = facts.error.issues[0]!
  throw new FormatError(`${name}.json: field "about.${path.join('.')}": ${message}: it was not made by this example`)
}

const HEAD = `# Models

Spiking LeNet-5 networks, trained in the clear by this example, for classification under encryption. This page is generated from the
models' own files (\`node scripts/run.mjs examples/train-spiking-lenet5/src/main.ts card\`); do not edit it.`

const FOOT = `## Intended use and limits

- For demonstrations, tests and measurements of encrypted inference. They read single, centred, handwritten digits in MNIST's form and
  nothing else: every input gets one of ten answers, also inputs that are no digits.
- Test accuracies are on 5,000 of MNIST's 10,000 test digits, the part that this project has; intervals are Wilson's, 95 %. They say
  nothing about other people's handwriting, scanners or preparation, and the models were not tested against hostile inputs.
- Those test digits were not wholly unseen: the learning rate of training from scratch was chosen among five in short runs that they
  judged. Recipes on grids were chosen by the 2,000 watched digits; one run's test result was seen before (docs/notes/snn-training.md).
- Models named nmnist were trained and tested on recordings that our event-camera simulator made of MNIST digits, **not** on the
  recordings of N-MNIST; accuracies are not comparable with those published for N-MNIST.
- Models without a grid have exact spikes of real-valued membranes. Those named grid read an input rounded to few values, and
  every membrane lies on one grid, the same in all layers; a membrane outside it is clipped here and wraps round under encryption.

MNIST: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998. The digits are not
part of this repository. N-MNIST: G. Orchard et al., 2015.`

const accuracy = ({ testAccuracy, testCorrect, testSamples }: Model['facts']): string => {
  const [low, high] = wilsonInterval(testCorrect, testSamples).map((share) => (100 * share).toFixed(2))
  return `${percent(testAccuracy)} (${low} to ${high})`
}

function table(models: readonly Model[]): string {
  const rows = models.map(({ name, network, facts }) => {
    const { neuron, grid } = neuronLayers(network)[0]!
    const cells = [
      `[${name}](#${name})`,
      neuron.kind.toUpperCase(),
      network.description.timeSteps,
      grid ? `${grid.count} points` : 'none',
      parameterCount(network).toLocaleString('en'),
      accuracy(facts),
      facts.testSamples.toLocaleString('en'),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = ['model', 'neurons', 'T', 'grid', 'parameters', 'test accuracy', 'test samples']
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n')
}

function section({ name, network, facts }: Model): string {
  const { inputShape, timeSteps } = network.description
  const layers = neuronLayers(network)
  const { kind, ...constants } = layers[0]!.neuron
  const neuron = `${kind.toUpperCase()} (${Object.entries(constants)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')})`
  const grids = layers.map(({ grid }) => (grid ? `${grid.count} points of ${grid.step.toPrecision(4)}` : 'none'))
  const number = (value: number) => value.toLocaleString('en')
  const lines = [
    `Architecture: ${architecture(network)}; input [${inputShape.join(', ')}]${inputText(network.description)}, T = ${timeSteps}, ${neuron}, ` +
      `${number(parameterCount(network))} parameters.`,
    `Data: ${facts.data}; ${number(facts.trainingSamples)} samples of the training digits trained on, ` +
      `${number(facts.validationSamples)} watched${watched(facts)}; changed at random by: ${facts.augmentation}.`,
    `Recipe: ${facts.recipe}${facts.from ? `, starting from ${facts.from}` : ''}; ${facts.epochs} epochs in batches of ` +
      `${facts.batchSize}, ${facts.optimizer}, rate ${facts.learningRate}, seed ${facts.seed}; kernels: ${facts.kernels}.`,
    `Test: ${number(facts.testCorrect)} of ${number(facts.testSamples)} right, ${accuracy(facts)}.`,
    `Membrane grids: ${new Set(grids).size === 1 ? grids[0] : layers.map((layer, i) => `${layer.name} ${grids[i]}`).join(', ')}` +
      `${layers.some(({ grid }) => grid) ? gridUse(facts) : ''}.`,
    `Made: ${facts.date}.`,
  ]
  return [`## ${name}`, lines.map((line) => `- ${line}`).join('\n')].join('\n\n')
}

const watched = ({ validationAccuracy }: Model['facts']): string =>
  validationAccuracy === undefined ? '' : ` (${percent(validationAccuracy)} right in the end)`

/** What the values of an input are rounded to. */
const inputText = ({ inputGrid }: Network['description']): string =>
  inputGrid ? ` rounded to multiples of ${inputGrid.step}` : ''

const gridUse = ({ gridEnds, gridClipped }: Model['facts']): string =>
  `; at most ${percent(gridEnds)} of a layer's membranes at the ends in the test` +
  (gridClipped === undefined ? '' : `, ${percent(gridClipped)} clipped`)

/** The layers in a line. */
function architecture({ description }: Network): string {
  const words = description.layers.map((layer) => {
    switch (layer.kind) {
      case 'conv2d':
        return `convolution ${layer.kernel.join(' x ')} to ${layer.outChannels} channels`
      case 'linear':
        return `linear to ${layer.outFeatures}`
      case 'averagePool2d':
        return `average pooling ${layer.kernel} x ${layer.kernel}`
      case 'neuron':
        return 'neurons'
      default:
        return layer.kind
    }
  })
  return words.filter((word) => word !== 'flatten').join(', ')
}
