import { PlanError } from '@he-ml/ckks-core'
import { type CalibrationOptions, type InputStatistics, isCalibrated, Model } from '@he-ml/model'
import type { Calibration } from './calibration.ts'
import { poolStatistics } from './pool-statistics.ts'

/** How activations become polynomials. */
export interface ActivationOptions extends CalibrationOptions {
  /** Other degrees, errors or margins for single layers, by name. */
  readonly layers?: Readonly<Record<string, Partial<CalibrationOptions>>>
}

/**
 * The model with a polynomial chosen for every activation.
 * @throws PlanError ('range') when an activation was not seen by `fit`, or an override names no activation
 */
export function calibrateActivations(
  model: Model,
  calibration: Calibration | undefined,
  options: ActivationOptions,
): Model {
  const overrides = new Set(Object.keys(options.layers ?? {}))
  const { layers = {}, ...common } = options
  const pooled = pooledStatistics(model, calibration)
  const nodes = model.nodes.map((node) => {
    const { name, layer } = node
    if (!isCalibrated(layer)) return node
    const own = layers[name]
    overrides.delete(name)
    if (layer.calibrated && own === undefined) return node
    const statistics = pooled.get(layer.calibrationGroup ?? '') ?? calibration?.statistics[name]
    if (statistics === undefined)
      throw new PlanError(
        'range',
        `no calibration for activation "${name}": pass what fit(model, data) gives as the option calibration`,
      )
    return { ...node, layer: layer.calibrate(statistics, { ...common, ...own }) }
  })
  const unknown = [...overrides]
  if (unknown.length > 0)
    throw new PlanError(
      'range',
      `the option activation.layers names "${unknown.join('", "')}", which is no activation of model "${model.name}"`,
    )
  const { name, input, output, states, steps, readout } = model
  return new Model({ name, input, nodes, output, states, steps, readout })
}

/** What the layers of each group saw together; groups of which one was not seen are left to complain of it. */
function pooledStatistics(model: Model, calibration: Calibration | undefined): ReadonlyMap<string, InputStatistics> {
  const groups = new Map<string, (InputStatistics | undefined)[]>()
  for (const { name, layer } of model.nodes) {
    if (!isCalibrated(layer) || layer.calibrationGroup === undefined) continue
    const seen = groups.get(layer.calibrationGroup) ?? []
    groups.set(layer.calibrationGroup, [...seen, calibration?.statistics[name]])
  }
  const pooled = new Map<string, InputStatistics>()
  for (const [group, all] of groups) {
    const seen = all.filter((statistics) => statistics !== undefined)
    if (seen.length === all.length) pooled.set(group, poolStatistics(seen))
  }
  return pooled
}
