/**
 * Neurons over time as a port's task. The dynamics come as recorded programs (straight-line lists of operations), so that an implementation in another language runs the recurrence that was written once.
 */
import type { Grid } from '@he-ml/model/spiking'
import type { Program } from '../neurons/program.ts'
import type { SurrogateDescription } from '../neurons/surrogate-gradient.ts'
import type { Reals } from '../reals.ts'

/**
 * v = charge(u, x), rounded to the grid if there is one; s = 1 where v >= threshold (rounded to the arrays' precision), else 0;
 * u = reset(v, s). Membranes start at 0. Every operation of a program rounds to the arrays' precision.
 */
export interface NeuronTask<A extends Reals = Reals> {
  /** Inputs: u and x. */
  readonly charge: Program
  /** Inputs: v and s. */
  readonly reset: Program
  /** Firing level. */
  readonly threshold: number
  /** Points that v is rounded to; absent: it is not. */
  readonly grid?: Grid | undefined
  /** How many steps there are. */
  readonly timeSteps: number
  /** 1: the same input at every step; else timeSteps. */
  readonly inputSteps: number
  /** x, [inputSteps, size] */
  readonly input: A
}

/** Outputs: all [timeSteps, size]. */
export interface NeuronForward<A extends Reals = Reals> extends NeuronTask<A> {
  /** s of each step: 0 or 1. */
  readonly spikes: A
  /** u after each step. */
  readonly membranePotentials: A
  /** v before the reset, rounded. */
  readonly charged?: A | undefined
}

/**
 * Backwards through time, from the gradients of the spikes and of the membrane potentials (absent: zero). The charged
 * membranes are computed again from `input` and `membranePotentials`. Where a grid clips v, the gradient of v is `pull` times the signed
 * distance of the unrounded v from the grid's border, in double precision, rounded once.
 */
export interface NeuronBackward<A extends Reals = Reals> extends NeuronTask<A> {
  /** As {@link NeuronForward} left them. */
  readonly membranePotentials: A
  /** Stands for the derivative of the step, at v - threshold; computed in double precision. */
  readonly surrogate: Required<SurrogateDescription>
  /** No gradient through the spike in the reset. */
  readonly detachReset: boolean
  /** Gradient of v per unit beyond the grid, finite, from 0; default 0: clipped membranes get none. */
  readonly pull?: number | undefined
  /** By the spikes, [timeSteps, size]. */
  readonly spikeGradient?: A | undefined
  /** By u after each step, [timeSteps, size]. */
  readonly membraneGradient?: A | undefined
  /** Overwritten, [inputSteps, size]: with one step the sum over time, ascending, rounded after every term. */
  readonly inputGradient: A
}
