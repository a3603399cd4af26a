/** Functional bootstrapping on the native engine, its keys made from its own plan. */
import {
  type AnyParameters,
  type Ciphertext,
  createFunctionalBootstrapping,
  createPlanEngine,
  type FunctionalBootstrapping,
  type FunctionalEstimate,
  type FunctionalSpec,
  type GridFunction,
  gridFunction,
  PeriodicFunction,
  type PreparedFunctionalBootstrapping,
} from '@he-ml/ckks-core'
import { createStack, type Slots, type Stack } from './native.test-helper.ts'

export interface FunctionalStack {
  readonly stack: Stack
  readonly circuit: FunctionalBootstrapping
  readonly prepared: PreparedFunctionalBootstrapping
  /** -log2 of the root mean square errors expected of the functions' results. */
  readonly plannedBits: readonly number[]
  readonly estimate: FunctionalEstimate
}

/** Values are counted in steps of a grid with this many points. */
export async function createFunctionalStack(
  parameters: AnyParameters,
  spec: FunctionalSpec,
  points: number,
  functions: readonly PeriodicFunction[],
): Promise<FunctionalStack> {
  const circuit = createFunctionalBootstrapping(parameters, spec)
  const plan = createPlanEngine(parameters)
  const level = circuit.inputLevel
  // inputs are encrypted with the secret key: one error of standard deviation 3.2 per coefficient
  const error = (3.2 * Math.sqrt(parameters.ringDegree)) / parameters.scaleAt(level)
  const periods = { periods: [points] }
  const input = plan.input({ level, slots: spec.slots, magnitude: points / 4, error })
  let estimate: FunctionalEstimate | undefined
  const outputs = (await circuit.prepare(plan, periods)).evaluate(plan, input, functions, {
    period: points,
    observe: (e) => {
      estimate = e
    },
  })
  const plannedBits = outputs.map((y: Ciphertext) => plan.estimate(y).precisionBits)
  const stack = await createStack(parameters, plan.report().keyRequest)
  return { stack, circuit, prepared: await circuit.prepare(stack.server, periods), plannedBits, estimate: estimate! }
}

/** A step of a grid, from the middle upwards; even runs of points, so the lowest degree. */
export const gridStep = (points: number, cleaned = true): GridFunction =>
  gridFunction({
    points,
    values: Array.from({ length: points }, (_, i) => ({ index: i - points / 2, value: i - points / 2 >= 2 ? 1 : 0 })),
    cleaned,
  })

/** Cosine and sine of the angle itself. */
export const ANGLE = [
  new PeriodicFunction({ re: [0, 1], im: [0, 0] }),
  new PeriodicFunction({ re: [0, 0], im: [0, -1] }),
] as const

/** Random points of a grid, from a seed. */
export function gridValues(points: number, slots: number, seed: number): Slots {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * points) - points / 2
  }
  return { re: Float64Array.from({ length: slots }, next), im: Float64Array.from({ length: slots }, next) }
}

/** Errors of the angle, in steps: the root mean square. */
export function angleDeviation(points: number, index: Float64Array, cos: Float64Array, sin: Float64Array): number {
  const square = index.reduce((sum, k, i) => {
    const angle = (2 * Math.PI * k) / points
    return sum + (Math.cos(angle) * sin[i]! - Math.sin(angle) * cos[i]!) ** 2
  }, 0)
  return (Math.sqrt(square / index.length) * points) / (2 * Math.PI)
}
