import { PlanError } from '@he-ml/ckks-core'
import { type CalibrationOptions, isCalibrated, Model } from '@he-ml/model'
import type { Calibration } from './calibration.ts'

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
  const nodes = model.nodes.map((node) => {
    const { name, layer } = node
    if (!isCalibrated(layer)) return node
    const own = layers[name]
    overrides.delete(name)
    if (layer.calibrated && own === undefined) return node
    const statistics = calibration?.statistics[name]
    if (statistics === undefined)
      throw new PlanError(
        'range',
        `no calibration for activation "${name}": run fit(model, data) and pass its result to compile`,
      )
    return { ...node, layer: layer.calibrate(statistics, { ...common, ...own }) }
  })
  const unknown = [...overrides]
  if (unknown.length > 0)
    throw new PlanError(
      'range',
      `activation options name "${unknown.join('", "')}", which is no activation of model "${model.name}"`,
    )
  const { name, input, output, states, steps, readout } = model
  return new Model({ name, input, nodes, output, states, steps, readout })
}
