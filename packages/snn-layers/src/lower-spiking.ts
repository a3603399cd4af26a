/**
 * A neuron's time step on ciphertexts, every border at the nominal scale. The charge is an addition. The step takes its depth.
 * The charged membrane waits meanwhile, so it comes down to the reset with levels to spare, and every constant of reset and
 * drift (beta, a, factors) is a choice of scale on that way. So a LIF neuron with a subtracting reset takes the step's depth
 * and nothing else; a product takes one more: the reset to zero, and the drift of QIF.
 */
import { type Ciphertext, type Plaintext, scope, toLevel, UnsupportedError } from '@he-ml/ckks-core'
import type { Neuron } from '@he-ml/model/spiking'
import {
  type CircuitEngine,
  createMultiOutputLowered,
  encodeElementMasks,
  type LoweredLayer,
  liesAlike,
  type MultiplexedLayout,
  type SlotLayout,
} from '@he-ml/packing'
import { driftFromZero } from '@he-ml/snn-neurons'
import { declaredTimes, resetFactor, splitFactor, timesAtLevel } from './held-values.ts'
import type { PreparedStep, SoftStep, StepCircuit } from './spike-step.ts'

export interface SpikingCircuit {
  readonly name: string
  readonly neuron: Neuron
  readonly step: SoftStep
  readonly membraneFactor: number
  readonly spikeFactor: number
}

type Use = <T extends Disposable>(value: T) => T

const ROUND_OFF = 1e-9
const isInteger = (x: number): boolean => x >= 1 - ROUND_OFF && Math.abs(x - Math.round(x)) < ROUND_OFF * x

/** @throws UnsupportedError when current and membrane do not lie alike */
export function lowerSpiking(circuit: SpikingCircuit, inputs: readonly SlotLayout[]): LoweredLayer {
  const { name } = circuit
  const [current, membrane] = inputs as [SlotLayout, SlotLayout?]
  if (membrane && !liesAlike(current, membrane))
    throw new UnsupportedError(
      `layer "${name}": its current and its membrane lie in different slots: lower what makes the current with the membrane's layout as LowerContext.prefer, or use the batch layout`,
    )
  const masked = inputs.some((layout) => layout.kind === 'multiplexed' && layout.grid.gaps === 'any')
  const plan = planSteps(circuit, masked)
  const output: SlotLayout =
    current.kind === 'multiplexed' ? { ...current, grid: { ...current.grid, gaps: 'bounded' } } : current
  return createMultiOutputLowered({
    name,
    inputs,
    outputs: [output, output],
    depth: plan.depth,
    prepare: async (context) => {
      const masks = masked ? encodeElementMasks(current as MultiplexedLayout, context.engine, context.level) : []
      for (const mask of masks) context.weights.use(mask)
      const step = await plan.circuit.prepare({ ...context, level: context.level - plan.unit })
      return async ({ engine, inputs: [x, m], pacer, temporaries }) => {
        const spikes: Ciphertext[] = []
        const membranes: Ciphertext[] = []
        for (const [i, current] of x!.entries()) {
          await pacer.step()
          const given = { current, membrane: m?.[i], mask: masks[i] }
          const [spike, rest] = scope((use) => advance({ engine, use, circuit, plan, step }, given))
          spikes.push(temporaries.use(spike))
          membranes.push(temporaries.use(rest))
        }
        return [spikes, membranes]
      }
    },
  })
}

/** Where levels go, counted from the input's. */
interface StepPlan {
  readonly masked: boolean
  /** (u - threshold) / reach is `scale` times the held membrane plus a constant. */
  readonly scale: number
  /** Levels spent when the step begins, and when it ends. */
  readonly unit: number
  readonly fired: number
  readonly circuit: StepCircuit
  /** Factor that the step's result has; spikes are `spikes` times it, what the reset subtracts is `subtracted` times it. */
  readonly evaluated: number
  readonly spikes: number
  readonly subtracted: number
  /** Levels spent when the reset is done. */
  readonly reset: number
  readonly depth: number
}

function planSteps({ neuron, step, membraneFactor, spikeFactor }: SpikingCircuit, masked: boolean): StepPlan {
  const scale = 1 / (step.reach * membraneFactor)
  const charged = masked ? 1 : 0
  const unit = charged + (isInteger(scale) ? 0 : 1)
  // the same polynomial serves the reset if one of the two is a multiple of the other
  const wanted = resetFactor(neuron, membraneFactor) * neuron.threshold
  const spikesAreMultiples =
    neuron.reset === 'subtract' && !isInteger(wanted / spikeFactor) && isInteger(spikeFactor / wanted)
  const evaluated = spikesAreMultiples ? wanted : spikeFactor
  const circuit = step.circuit(evaluated)
  const fired = unit + circuit.depth
  const subtracted = wanted / evaluated
  const { reset } = neuron
  let after = fired
  if (reset === 'zero' || (reset === 'subtract' && !isInteger(subtracted))) after++
  // without a reset nothing waits for the spike, and a quadratic drift may begin a level earlier
  else if (reset === 'none' && neuron.kind === 'qif' && fired - charged >= 2) after--
  const depth = Math.max(fired, after + (neuron.kind === 'qif' ? 1 : 0))
  return {
    masked,
    scale,
    unit,
    fired,
    circuit,
    evaluated,
    spikes: spikeFactor / evaluated,
    subtracted,
    reset: after,
    depth,
  }
}

interface Run {
  readonly engine: CircuitEngine
  readonly use: Use
  readonly circuit: SpikingCircuit
  readonly plan: StepPlan
  readonly step: PreparedStep
}

interface Given {
  readonly current: Ciphertext
  readonly membrane: Ciphertext | undefined
  readonly mask: Plaintext | undefined
}

/** One ciphertext through a time step. */
function advance(run: Run, given: Given): readonly [spike: Ciphertext, membrane: Ciphertext] {
  const { engine, use, plan } = run
  const bottom = given.current.level - plan.depth
  const charged = charge(run, given)
  const fired = use(run.step(engine, unitOf(run, charged)))
  const spike = plan.spikes === 1 ? fired : use(engine.mulInteger(fired, Math.round(plan.spikes)))
  const after = resetTo(run, charged, fired, given.current.level - plan.reset)
  return [use(timesAtLevel(engine, spike, 1, bottom)), use(timesAtLevel(engine, driftOf(run, after), 1, bottom))]
}

function charge({ engine, use, circuit }: Run, { current, membrane, mask }: Given): Ciphertext {
  const start = driftFromZero(circuit.neuron) * circuit.membraneFactor
  let charged = current
  if (membrane) charged = use(engine.add(membrane, current))
  else if (start !== 0) charged = use(engine.addScalar(current, start))
  return mask ? use(engine.rescale(use(engine.mulPlain(charged, mask)))) : charged
}

/** (u - threshold) / reach */
function unitOf({ engine, use, circuit, plan }: Run, charged: Ciphertext): Ciphertext {
  const { scale } = plan
  let unit = charged
  if (!isInteger(scale)) unit = use(engine.rescale(use(engine.mulScalar(charged, scale))))
  else if (Math.round(scale) !== 1) unit = use(engine.mulInteger(charged, Math.round(scale)))
  return use(engine.addScalar(unit, -circuit.neuron.threshold / circuit.step.reach))
}

/** The membrane potential after the reset, times {@link resetFactor}. */
function resetTo(
  { engine, use, circuit, plan }: Run,
  charged: Ciphertext,
  fired: Ciphertext,
  level: number,
): Ciphertext {
  const { neuron, membraneFactor } = circuit
  const factor = resetFactor(neuron, membraneFactor) / membraneFactor
  if (neuron.reset === 'none') return use(timesAtLevel(engine, charged, factor, level))
  if (neuron.reset === 'subtract') {
    const times = plan.subtracted
    const subtracted = isInteger(times)
      ? use(engine.mulInteger(fired, Math.round(times)))
      : use(engine.rescale(use(engine.mulScalar(fired, times))))
    return use(engine.sub(use(timesAtLevel(engine, charged, factor, level)), subtracted))
  }
  // v (1 - s): the charged membrane takes the scale that makes the product land on the nominal one, and the factor
  const { parameters } = engine
  const kept = use(engine.addScalar(use(engine.negate(fired)), plan.evaluated))
  const rest = factor / plan.evaluated
  const target = (parameters.scaleAt(level) * splitFactor(rest).rest * parameters.groupProduct(level + 1)) / kept.scale
  const waiting = use(engine.mul(use(toLevel(engine, charged, level + 1, target)), kept))
  const product = use(engine.relinearizeRescale(waiting))
  return use(declaredTimes(engine, product, rest))
}

/** What is left of the membrane potential for the next time step. */
function driftOf({ engine, use, circuit }: Run, after: Ciphertext): Ciphertext {
  const { neuron, membraneFactor } = circuit
  if (neuron.kind === 'lif') return after
  const factor = resetFactor(neuron, membraneFactor)
  const shifted = (u: number): Ciphertext => (u === 0 ? after : use(engine.addScalar(after, -factor * u)))
  const { u1, u2 } = neuron
  const product = use(u1 === u2 ? engine.square(shifted(u1)) : engine.mul(shifted(u1), shifted(u2)))
  return use(engine.relinearizeRescale(product))
}
