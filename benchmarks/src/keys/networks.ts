/** Networks whose keys do not fit: one that computes for less time than its keys take to load, and two with bootstraps. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type BoundPlan, compileAndBind, fit, parseCalibration } from '@he-ml/pipeline'
import { loadModel } from '../networks/digits.ts'
import { loadCifarImages } from '../networks/images.ts'
import { exampleModel, sharedPath } from '../places.ts'
import { residual, seededTensor } from '../predictions/networks.ts'

export interface Network {
  bind(): Promise<BoundPlan>
  /** Whether all its weights fit in memory beside all keys; otherwise they are encoded as each run goes on. */
  readonly keepWeights: boolean
  /** Why it cannot be measured here, if it cannot. */
  missing?(): string | undefined
}

export const NETWORKS: Readonly<Record<string, Network>> = {
  'lenet5-relu': { bind: lenet5, keepWeights: true },
  residual: { bind: bootstrapped, keepWeights: true },
  resnet20: { bind: resnet20, keepWeights: false, missing: missingResnet20 },
}

async function lenet5(): Promise<BoundPlan> {
  const model = await loadModel(exampleModel('lenet5-relu.onnx'), 'lenet5-relu')
  const calibration = parseCalibration(await readFile(exampleModel('lenet5-relu.calibration.json'), 'utf8'))
  const activation = { margin: 1.25, method: 'least-squares', degree: 15 } as const
  return compileAndBind(model, { calibration, packing: 'multiplexed', scaleBits: 31, activation })
}

/** Seven bootstraps or so, each of which needs nearly all keys. */
async function bootstrapped(): Promise<BoundPlan> {
  const model = residual(3)
  const images = Array.from({ length: 30 }, (_, i) => seededTensor(model.input.shape, 100 + i))
  return compileAndBind(model, {
    calibration: await fit(model, images),
    activation: { degree: 15, margin: 1.3 },
    bootstrapping: { set: 'N16-B10' },
  })
}

const resnetFile = () => sharedPath('models/resnet20-cifar10-relu.onnx')
const cifarFolder = () => sharedPath('data/cifar10')

function missingResnet20(): string | undefined {
  return resnetFile() === undefined || cifarFolder() === undefined
    ? 'HE_ML_SHARED names no folder with its model and data/cifar10'
    : undefined
}

/** Convolutions of three stages, each with keys of its own, between bootstraps, which share theirs. */
async function resnet20(): Promise<BoundPlan> {
  const missing = missingResnet20()
  if (missing !== undefined) throw new InvalidArgumentError(`resnet20: ${missing}`)
  const model = await loadModel(resnetFile()!, 'resnet20')
  const images = await loadCifarImages(cifarFolder()!, 300)
  return compileAndBind(model, {
    calibration: await fit(model, images),
    activation: { degree: 15, margin: 1.3 },
    precisionBits: 0,
  })
}
