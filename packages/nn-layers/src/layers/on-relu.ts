/** What layers have in common that are made of one ReLU and something linear: the ReLU's polynomial, range and factors are theirs. */
import type { ActivationPolynomial } from '@he-ml/activations'
import { PlanError } from '@he-ml/ckks-core'
import type { CalibrationOptions, FittedForm, InputStatistics } from '@he-ml/model'
import { ActivationLayer } from './activation.ts'

/** A layer around a ReLU. `Own` is the layer's class, which comes back where the ReLU is fitted or held otherwise. */
export abstract class OnReluLayer<Own> {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** The ReLU that the layer is made of. */
  protected readonly relu: ActivationLayer

  constructor(name: string, relu?: ActivationLayer) {
    this.name = name
    this.relu = relu ?? new ActivationLayer(name, 'relu', { inputFactor: 1, outputFactor: 1 })
  }

  /** The same layer with another ReLU. */
  protected abstract withRelu(relu: ActivationLayer): Own

  get calibrated(): boolean {
    return this.relu.calibrated
  }
  get inputScale(): number {
    return this.relu.inputScale
  }
  get fittedRange(): readonly [low: number, high: number] | undefined {
    return this.relu.fittedRange
  }
  get fittedForm(): FittedForm | undefined {
    return this.relu.fittedForm
  }
  calibrate(statistics: InputStatistics, options: CalibrationOptions): Own {
    return this.withRelu(this.relu.calibrate(statistics, options))
  }
  withFittedForm(form: FittedForm): Own {
    return this.withRelu(this.relu.withFittedForm(form))
  }
  withInputFactor(factor: number): Own {
    return this.withRelu(this.relu.withInputFactor(factor))
  }
  scaleOutput(factor: number): Own {
    return this.withRelu(this.relu.scaleOutput(factor))
  }

  /** The ReLU's. @throws PlanError ('range') before `calibrate` */
  protected get polynomial(): ActivationPolynomial {
    if (this.relu.polynomial) return this.relu.polynomial
    throw new PlanError(
      'range',
      `layer "${this.name}" has no polynomial yet: run fit(model, data) and compile with its result, or call calibrate`,
    )
  }
}
