/** Recorded charge and reset programs as loops over arrays, tile by tile. */
import { type Reals, requireAlike, zerosLike } from '../reals.ts'
import type { NeuronPrograms, ProgramKernel } from './neuron-kernel.ts'
import { ProgramRunner, TILE } from './run-program.ts'

/** What becomes of the charged membrane before the spike and the reset see it. Both work in place. */
export interface MembraneRounding {
  /** Rounds every value in place. */
  round(charged: Reals): void
  /** Gradient of the rounding at these (unrounded) values: `gradient` comes in for the rounded ones. */
  pullBack(charged: Reals, gradient: Reals): void
}

/**
 * {@link ProgramKernel} for recorded programs, optionally with a rounded membrane. Holds scratch memory; it is not for use from
 * within its own callbacks.
 */
export function createProgramKernel(programs: NeuronPrograms, rounding?: MembraneRounding): ProgramKernel {
  const made = new Map<string, Scratch>()
  const scratchFor = (values: Reals): Scratch => {
    const precision = values instanceof Float32Array ? 'float32' : 'float64'
    let scratch = made.get(precision)
    if (!scratch) {
      const [charged, rounded, spike, slope, gradientCharged, gradientSpike] = Array.from({ length: 6 }, () =>
        zerosLike(values, TILE),
      ) as [Reals, Reals, Reals, Reals, Reals, Reals]
      const arrays = { charged, rounded, spike, slope, gradientCharged, gradientSpike }
      const [charge, reset] = [
        new ProgramRunner(programs.charge, precision),
        new ProgramRunner(programs.reset, precision),
      ]
      scratch = { charge, reset, ...arrays }
      made.set(precision, scratch)
    }
    return scratch
  }
  return {
    forward(state, spikeFunction, result) {
      requireAlike('neuron forward', {
        membranePotential: state.membranePotential,
        input: state.input,
        spike: result.spike,
        charged: result.charged,
        'next membranePotential': result.membranePotential,
      })
      const scratch = scratchFor(state.input)
      for (const tile of tiles(state.input.length)) {
        const charged = result.charged ? tile(result.charged) : tile(scratch.charged, 0)
        const spike = tile(result.spike)
        scratch.charge.forward(tile(state.membranePotential), tile(state.input), charged)
        rounding?.round(charged)
        spikeFunction.spikes(charged, spike)
        scratch.reset.forward(charged, spike, tile(result.membranePotential))
      }
    },
    backward(state, spikeFunction, gradients, result, options = {}) {
      requireAlike('neuron backward', {
        membranePotential: state.membranePotential,
        input: state.input,
        'gradient of spike': gradients.spike,
        'gradient of membranePotential': gradients.membranePotential,
        'result for membranePotential': result.membranePotential,
        'result for input': result.input,
      })
      const scratch = scratchFor(state.input)
      for (const tile of tiles(state.input.length)) {
        const [u, x] = [tile(state.membranePotential), tile(state.input)]
        const [exact, spike] = [tile(scratch.charged, 0), tile(scratch.spike, 0)]
        scratch.charge.forward(u, x, exact)
        const charged = rounding ? tile(scratch.rounded, 0) : exact
        if (rounding) {
          charged.set(exact)
          rounding.round(charged)
        }
        spikeFunction.spikes(charged, spike)
        const slope = tile(scratch.slope, 0)
        spikeFunction.derivative(charged, slope)
        const [total, throughReset] = [tile(scratch.gradientCharged, 0), tile(scratch.gradientSpike, 0)]
        scratch.reset.backward(charged, spike, tile(gradients.membranePotential), total, throughReset)
        if (options.detachReset) throughReset.fill(0)
        const direct = tile(gradients.spike)
        for (let i = 0; i < total.length; i++) total[i] = total[i]! + (throughReset[i]! + direct[i]!) * slope[i]!
        rounding?.pullBack(exact, total)
        scratch.charge.backward(u, x, total, tile(result.membranePotential), tile(result.input))
      }
    },
  }
}

/** Programs and temporaries of one precision. */
interface Scratch {
  readonly charge: ProgramRunner
  readonly reset: ProgramRunner
  readonly charged: Reals
  readonly rounded: Reals
  readonly spike: Reals
  readonly slope: Reals
  readonly gradientCharged: Reals
  readonly gradientSpike: Reals
}

/** One function per tile, which takes that tile's part of an array (or as much of one from `start`). */
function* tiles(length: number): Generator<(values: Reals, start?: number) => Reals> {
  for (let begin = 0; begin < length; begin += TILE) {
    const count = Math.min(TILE, length - begin)
    yield (values, start = begin) => values.subarray(start, start + count)
  }
}
