/**
 * LIF and QIF neurons, one per element, as a layer with a state. A step charges (v = m + x), fires (s = H(v - threshold)),
 * resets (v, s -> u) and drifts (u -> m). The state is what the next step adds to its current: the membrane potential after
 * reset and drift, beta u or a (u - u1)(u - u2), so that a charge is one addition and costs no level. Values may be held
 * times factors: current and state share one, so that the step finds them in [-1, 1]; spikes have another.
 */
import {
  checkArgument,
  checkOptions,
  contentHash,
  FormatError,
  InvalidArgumentError,
  type OptionCheck,
  type OptionChecks,
  optionCheck,
  PlanError,
} from '@he-ml/ckks-core'
import {
  type CalibratedMultiOutputLayer,
  type CalibrationOptions,
  createTensor,
  digestText,
  type FactorGroup,
  type FittedForm,
  type InputStatistics,
  type Shape,
  sameShape,
  type Tensor,
  WIDEST_RANGE,
} from '@he-ml/model'
import { createNeuron, type Grid, type Neuron, nearestOnGrid } from '@he-ml/model/spiking'
import { type Lowerable, type LoweredLayer, lowerRefresh, type RefreshCell, type SlotLayout } from '@he-ml/packing'
import { drift, driftFromZero, numberArithmetic, resetMembrane } from '@he-ml/snn-neurons'
import { exactCell } from './exact-cell.ts'
import { resetFactor } from './held-values.ts'
import { lowerSpiking } from './lower-spiking.ts'
import { polynomialSpikeStep } from './polynomial-step.ts'
import { refuseChannels } from './refuse-channels.ts'
import { type FittedStep, isStep, type SoftStep, type SpikeCell, type SpikeStep } from './spike-step.ts'
import { SpikingLastStep } from './spiking-last-step.ts'
import { SpikingOverSteps } from './spiking-over-steps.ts'

/** Options of {@link spiking}. */
export interface SpikingOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** The recurrence; of LIF neurons, beta above 0. */
  readonly neuron: Neuron
  /** Default: a polynomial of the degree that calibration asks for. */
  readonly step?: SpikeStep
  /** Charged membrane potentials are rounded to it; in the clear and by a functional step, not at all by a polynomial one. */
  readonly grid?: Grid
}

const isGrid: OptionCheck = (value) => {
  const { step, count } = (optionCheck.object(value) === undefined ? value : {}) as Partial<Grid>
  return Number.isFinite(step) && step! > 0 && Number.isSafeInteger(count) && count! >= 2 && count! % 2 === 0
    ? undefined
    : 'a grid of a positive step and an even count'
}

const OPTIONS: OptionChecks<SpikingOptions> = {
  name: optionCheck.string,
  neuron: optionCheck.object,
  step: isStep,
  grid: isGrid,
}

/** How values are held. */
interface State {
  readonly fitted?: FittedStep
  /** Current and membrane arrive, and the membrane leaves, multiplied by this. */
  readonly membraneFactor: number
  readonly spikeFactor: number
}

/** Quotients of doubles that differ from an integer by less are that integer. */
const ROUND_OFF = 1e-9

/** See {@link spiking}. */
export class SpikingLayer implements CalibratedMultiOutputLayer, Lowerable {
  readonly kind = 'spiking'
  readonly arity = 2
  readonly optionalInputs = 1
  readonly outputs = ['spike', 'membrane']
  readonly gapSensitive = true
  readonly name: string
  /** The recurrence, the same for all neurons. */
  readonly neuron: Neuron
  /** Charged membrane potentials are rounded to it; undefined: they are not. */
  readonly grid: Grid | undefined
  /** How its step is evaluated on ciphertexts. */
  readonly step: SpikeStep
  /** Absent before calibration. */
  readonly fitted: FittedStep | undefined
  /** Current and membrane arrive, and the membrane leaves, multiplied by this. */
  readonly membraneFactor: number
  /** Spikes leave multiplied by this. */
  readonly spikeFactor: number

  constructor(options: SpikingOptions, state: State = { membraneFactor: 1, spikeFactor: 1 }) {
    const { name, step = polynomialSpikeStep(), grid } = options
    this.name = name
    this.neuron = createNeuron(options.neuron)
    if (this.neuron.kind === 'lif' && this.neuron.beta === 0)
      throw new InvalidArgumentError(`layer "${name}": a neuron with beta 0 has no state: expected beta above 0`)
    this.step = step
    this.grid = grid
    this.fitted = state.fitted
    this.membraneFactor = state.membraneFactor
    this.spikeFactor = state.spikeFactor
  }

  get refreshes(): boolean {
    return this.fitted?.kind === 'exact'
  }
  /** Neurons alike share their statistics, so that one grid has one step and one reset: then they can share refreshes. */
  get calibrationGroup(): string | undefined {
    const { neuron, grid, step } = this
    return grid && step.kind === 'functional' ? JSON.stringify([neuron, grid, step.options]) : undefined
  }
  get calibrated(): boolean {
    return this.fitted !== undefined
  }
  get fittedRange(): readonly [low: number, high: number] | undefined {
    const { fitted, neuron } = this
    if (fitted?.kind !== 'soft') return fitted?.range
    return [neuron.threshold - fitted.reach, neuron.threshold + fitted.reach]
  }
  /** Current and state share a factor; a subtracted spike costs no level when it is a multiple of the held one. */
  get factorGroups(): readonly FactorGroup[] {
    const { neuron } = this
    const fitted = this.fitted?.kind === 'soft' ? this.fitted : undefined
    const wanted = fitted ? 1 / (fitted.reach * this.membraneFactor) : undefined
    const spike =
      fitted && neuron.reset === 'subtract'
        ? (resetFactor(neuron, 1 / fitted.reach) * neuron.threshold) / this.spikeFactor
        : undefined
    return [
      { inputs: [0, 1], outputs: [1], ...(wanted === undefined ? {} : { wanted }) },
      { inputs: [], outputs: [0], ...(spike === undefined ? {} : { wanted: spike }) },
    ]
  }

  get fittedForm(): FittedForm | undefined {
    const { fitted, membraneFactor, spikeFactor } = this
    return fitted && { step: fitted.form, membraneFactor, spikeFactor }
  }
  withFittedForm({ step, membraneFactor, spikeFactor }: FittedForm): SpikingLayer {
    for (const factor of [membraneFactor, spikeFactor])
      if (typeof factor !== 'number' || !(factor > 0) || !Number.isFinite(factor))
        throw new FormatError(`layer "${this.name}": expected a positive factor, got ${factor}`)
    if (typeof step !== 'object' || step === null)
      throw new FormatError(`layer "${this.name}": expected a fitted step, got ${step}`)
    const fitted = this.step.restore(this.#cell(), step as FittedForm)
    return this.#with({ fitted, membraneFactor: membraneFactor as number, spikeFactor: spikeFactor as number })
  }
  digestParts(): readonly Uint8Array[] {
    const { neuron, grid, step, fittedForm } = this
    const about = { neuron, grid: grid ?? null, kind: step.kind, step: step.options, fitted: fittedForm ?? null }
    return [digestText(contentHash(JSON.parse(JSON.stringify(about))))]
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [current, membrane] = inputs
    if (!current || inputs.length > 2 || (membrane && !sameShape(current, membrane)))
      throw new InvalidArgumentError(
        `layer "${this.name}": expected a current and perhaps a membrane of its shape, got ${inputs.map((s) => `[${s}]`).join(' and ') || 'nothing'}`,
      )
    return [current, current]
  }
  /** Of the currents: a functional step decides on the grid's points alone, and rounds membranes itself. */
  get inputGrid(): number | undefined {
    return this.grid?.step
  }
  observed(inputs: readonly Tensor[]): Tensor {
    const [current, membrane] = inputs
    this.outputShapes(inputs.map((t) => t.shape))
    const start = driftFromZero(this.neuron)
    const held = this.membraneFactor
    return createTensor(
      current!.shape,
      current!.data.map((x, i) => (membrane ? membrane.data[i]! / held : start) + x / held),
    )
  }
  forwardAll(inputs: readonly Tensor[]): readonly Tensor[] {
    const { grid, neuron } = this
    const charged = this.observed(inputs)
    const rounded = grid
      ? createTensor(
          charged.shape,
          charged.data.map((v) => nearestOnGrid(v, grid)),
        )
      : charged
    return this.#afterCharge(rounded, (v) => (v >= neuron.threshold ? 1 : 0))
  }
  forwardAllApproximate(inputs: readonly Tensor[]): readonly Tensor[] {
    const fitted = this.#fitted()
    if (fitted.kind === 'soft') return this.#afterCharge(this.observed(inputs), (v) => fitted.forward(v))
    const charged = this.observed(inputs)
    const [spikes, membranes] = [new Float64Array(charged.data.length), new Float64Array(charged.data.length)]
    for (const [i, v] of charged.data.entries()) {
      const { spike, membrane } = fitted.forward(v)
      spikes[i] = spike * this.spikeFactor
      membranes[i] = membrane * this.membraneFactor
    }
    return [spikes, membranes].map((data) => createTensor(charged.shape, data))
  }
  /** Spikes of all steps as functions of one current, with an exact step. */
  overSteps(steps: number, outputs: readonly string[]): SpikingOverSteps | undefined {
    const { fitted, name, neuron, membraneFactor, spikeFactor } = this
    if (fitted?.kind !== 'exact' || outputs.some((output) => output !== 'spike')) return undefined
    return new SpikingOverSteps({ name, neuron, step: fitted, membraneFactor, spikeFactor }, steps)
  }
  /** Without the membrane, with an exact step. */
  withOutputs(outputs: readonly string[]): SpikingLastStep | undefined {
    const { fitted, name, neuron, membraneFactor, spikeFactor } = this
    if (fitted?.kind !== 'exact' || outputs.some((output) => output !== 'spike')) return undefined
    return new SpikingLastStep({ name, neuron, step: fitted, membraneFactor, spikeFactor })
  }
  calibrate(statistics: InputStatistics, options: CalibrationOptions): SpikingLayer {
    try {
      return this.#with({ fitted: this.step.fit(this.#cell(), statistics, options) })
    } catch (cause) {
      if (!(cause instanceof PlanError)) throw cause
      throw new PlanError(cause.reason, `layer "${this.name}": ${cause.message}`, { cause })
    }
  }
  withFactors(factors: readonly number[]): SpikingLayer {
    const [membrane, spike] = factors
    if (factors.length !== 2 || !(membrane! > 0 && spike! > 0) || !factors.every(Number.isFinite))
      throw new InvalidArgumentError(`layer "${this.name}": expected two positive factors, got ${factors}`)
    const membraneFactor = this.membraneFactor * membrane!
    const fitted = this.fitted?.kind === 'soft' ? widenedFor(this.fitted, membraneFactor) : undefined
    return this.#with({ membraneFactor, spikeFactor: this.spikeFactor * spike!, ...(fitted ? { fitted } : {}) })
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    this.outputShapes(inputs.map(({ shape }) => shape))
    const { name, neuron, membraneFactor, spikeFactor } = this
    refuseChannels(name, inputs)
    const cell = this.refreshCell(inputs)
    if (cell) return lowerRefresh(cell)
    const step = this.#fitted() as SoftStep
    return lowerSpiking({ name, neuron, step, membraneFactor, spikeFactor }, inputs)
  }

  refreshCell(inputs: readonly SlotLayout[]): RefreshCell | undefined {
    const { fitted, name, neuron, membraneFactor, spikeFactor } = this
    if (fitted?.kind !== 'exact') return undefined
    return exactCell({ name, neuron, step: fitted, membraneFactor, spikeFactor }, inputs)
  }

  /** Fires, resets and drifts; the arithmetic is that of snn-neurons, operation by operation. */
  #afterCharge({ shape, data }: Tensor, step: (charged: number) => number): readonly Tensor[] {
    const { neuron } = this
    const spikes = data.map(step)
    const remains = data.map((v, i) =>
      drift(numberArithmetic, neuron, resetMembrane(numberArithmetic, neuron, v, spikes[i]!)),
    )
    const held = (values: Float64Array, factor: number): Tensor =>
      createTensor(shape, factor === 1 ? values : values.map((v) => v * factor))
    return [held(spikes, this.spikeFactor), held(remains, this.membraneFactor)]
  }
  #cell(): SpikeCell {
    const { neuron, grid } = this
    return { neuron, ...(grid ? { grid } : {}) }
  }
  #fitted(): FittedStep {
    if (this.fitted) return this.fitted
    throw new PlanError(
      'range',
      `layer "${this.name}" has no step yet: run fit(model, data) and compile with its result, or call calibrate`,
    )
  }
  #with(change: Partial<State>): SpikingLayer {
    const { name, neuron, step, grid, fitted, membraneFactor, spikeFactor } = this
    return new SpikingLayer(
      { name, neuron, step, ...(grid ? { grid } : {}) },
      { membraneFactor, spikeFactor, ...(fitted ? { fitted } : {}), ...change },
    )
  }
}

/** A step whose unit is an integer multiple of the held membrane, where one a little wider is. */
function widenedFor(step: SoftStep, membraneFactor: number): SoftStep {
  const scale = 1 / (step.reach * membraneFactor)
  const integer = Math.floor(scale + ROUND_OFF)
  const excess = scale / integer
  if (excess <= 1 + ROUND_OFF || !(excess <= WIDEST_RANGE + ROUND_OFF)) return step
  return step.widened(excess) ?? step
}

/**
 * A layer of neurons with inputs [current, membrane?] and outputs spike and membrane. In a model, a state edge carries the
 * membrane to the next time step. It must be calibrated (`fit` and `compile` do it) before it can run encrypted.
 *
 * @throws InvalidArgumentError for a neuron that is none, or has no state (beta 0)
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { spiking } from '@he-ml/snn-layers'
 * const lif = spiking({ name: 'lif', neuron: { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } })
 * const model = new Model({
 *   name: 'count',
 *   input: { name: 'current', shape: [2] },
 *   nodes: [{ layer: lif, inputs: ['current'] }],
 *   output: 'lif/spike',
 *   states: [{ value: 'lif/membrane', node: 'lif', input: 1 }],
 *   steps: 4,
 *   readout: 'sum',
 * })
 * console.log(model.forward(createTensor([2], Float64Array.of(0.4, 0.8))).data) // 0 and 2 spikes
 * ```
 */
export const spiking = (options: SpikingOptions): SpikingLayer => {
  checkOptions('spiking', options, OPTIONS)
  checkArgument('spiking', 'the option name', options.name, optionCheck.string)
  return new SpikingLayer(options)
}
