import { basename } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { readOrdinaryFile } from '@he-ml/ckks-core/node'
import type { Model } from '@he-ml/model'
import { parseSpikingModel, type SpikingModel } from '@he-ml/model/spiking'
import { importOnnx } from '@he-ml/model-import'
import { buildSpikingModel, functionalSpikeStep, polynomialSpikeStep } from '@he-ml/snn-layers'
import { aboutFile } from './about-file.ts'
import { MAX_MODEL_BYTES } from './size-limits.ts'

/** How spiking neurons decide: exactly, during a bootstrap; softly, by a polynomial; or as the model was trained for. */
export type StepChoice = 'auto' | 'functional' | 'polynomial'

/** Of `he-ml plan`: also the one of these that takes least time. */
export const STEP_CHOICES = ['auto', 'functional', 'polynomial', 'cheapest'] as const

/** Share of the threshold over which a polynomial step rises. */
const SOFT_WIDTH = 0.1

/**
 * A model from its file, judged by its content, whatever its name: ONNX, or the description of a spiking network, whose weights lie beside
 * it under the same name with `.safetensors`.
 *
 * @param step of spiking networks; 'auto': functional where all neurons were trained on grids
 * @throws whatever importing throws, naming the file; FileSystemError
 */
export async function readModel(path: string, step: StepChoice = 'auto'): Promise<Model> {
  const name = basename(path).replace(/\.onnx$/i, '')
  const bytes = await readOrdinaryFile(path, { maxBytes: MAX_MODEL_BYTES, what: 'a model' })
  if (isWeights(bytes))
    throw new FormatError(
      `${path}: holds weights alone (safetensors): name the description of the spiking network that lies beside it, ${path.replace(/\.safetensors$/i, '')}.json`,
    )
  if (!isText(bytes)) return aboutFile(path, parseModel(bytes, name))
  const weights = await readOrdinaryFile(besideOf(path), {
    maxBytes: MAX_MODEL_BYTES,
    what: 'weights of a spiking network',
  })
  return aboutFile(
    path,
    (async () => spikingModel(parseSpikingModel({ description: new TextDecoder().decode(bytes), weights }), step))(),
  )
}

/** Where a spiking network's weights lie. */
export const besideOf = (description: string): string => `${description.replace(/\.json$/i, '')}.safetensors`

/** The step that a plan was made with. */
export const stepOf = (plan: { readonly functional?: unknown }): StepChoice =>
  plan.functional === undefined ? 'polynomial' : 'functional'

/** The model that a file's bytes are; as many as a file may have. @throws whatever importing throws */
export const parseModel = (bytes: Uint8Array, name: string): Promise<Model> =>
  importOnnx(bytes, { name, maxBytes: MAX_MODEL_BYTES })

/** JSON begins with a brace, ONNX never does: its first field is a number. */
const isText = (bytes: Uint8Array): boolean => {
  const first = bytes.find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte))
  return first === '{'.charCodeAt(0)
}

/** The length of a header in eight bytes, and the header in braces. */
const isWeights = (bytes: Uint8Array): boolean =>
  bytes[8] === '{'.charCodeAt(0) && bytes.subarray(4, 8).every((b) => b === 0)

function spikingModel(model: SpikingModel, step: StepChoice): Model {
  const exact = step === 'functional' || (step === 'auto' && onGrids(model.network.layers))
  return buildSpikingModel(model, { step: exact ? functionalSpikeStep() : polynomialSpikeStep({ width: SOFT_WIDTH }) })
}

/** Whether all neurons were trained on grids. */
const onGrids = (layers: SpikingModel['network']['layers']): boolean =>
  layers.every((layer) => {
    if (layer.kind === 'residual') return onGrids(layer.main) && onGrids(layer.shortcut)
    return layer.kind !== 'neuron' || layer.grid !== undefined
  })
