/** Networks whose keys do not fit: one that computes for less time than its keys take to load, and two with bootstraps. */
import { readFile } from 'node:fs/promises'
import { type BoundPlan, compileAndBind, fit, parseCalibration } from '@he-ml/pipeline'
import { loadModel } from '../networks/digits.ts'
import { loadResnet20 } from '../networks/resnet20.ts'
import { exampleModel } from '../places.ts'
import { residual, seededTensor } from '../predictions/networks.ts'

export interface Network {
  /** @returns undefined where its files are not there */
  bind(): Promise<BoundPlan | undefined>
  /** Whether all its weights fit in memory beside all keys; otherwise they are encoded as each run goes on. */
  readonly keepWeights: boolean
}

export const NETWORKS: Readonly<Record<string, Network>> = {
  'lenet5-relu': { bind: lenet5, keepWeights: true },
  residual: { bind: bootstrapped, keepWeights: true },
  resnet20: { bind: resnet20, keepWeights: false },
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

/** Convolutions of three stages, each with keys of its own, between bootstraps, which share theirs. */
async function resnet20(): Promise<BoundPlan | undefined> {
  const found = await loadResnet20(300)
  if (!found) return undefined
  return compileAndBind(found.model, {
    calibration: await fit(found.model, found.images),
    activation: { degree: 15, margin: 1.3 },
    precisionBits: 0,
  })
}
