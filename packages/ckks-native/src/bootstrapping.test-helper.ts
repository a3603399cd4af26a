/** A bootstrapping circuit on both engines, its keys made from its own plan. */
import {
  type AnyParameters,
  type Bootstrapping,
  type BootstrappingSpec,
  type Ciphertext,
  createBootstrapping,
  createPlanEngine,
  type Evaluator,
  type KeyRequest,
  type PreparedBootstrapping,
} from '@he-ml/ckks-core'
import { createStack, type Slots, type Stack } from './native.test-helper.ts'
import type { NativeEngineOptions } from './native-engine.ts'

export interface BootstrappingStack {
  readonly stack: Stack
  readonly circuit: Bootstrapping
  readonly prepared: PreparedBootstrapping
  /** Expected -log2 of the root mean square error of `run`'s result. */
  readonly plannedBits: number
}

/** What a test does with a circuit; on the plan engine it tells the keys, the levels and the precision. */
export type Use = (engine: Evaluator, prepared: PreparedBootstrapping, input: Ciphertext) => Ciphertext

/** Plans `use` on an input at `level`, makes the keys, encodes the matrices. */
export async function createBootstrappingStack(
  parameters: AnyParameters,
  spec: BootstrappingSpec,
  { use, level, engine }: { use?: Use; level?: number; engine?: NativeEngineOptions } = {},
): Promise<BootstrappingStack> {
  const circuit = createBootstrapping(parameters, spec)
  const plan = createPlanEngine(parameters)
  const from = level ?? circuit.inputLevel
  // inputs are encrypted with the secret key: one error of standard deviation 3.2 per coefficient
  const error = (3.2 * Math.sqrt(parameters.ringDegree)) / parameters.scaleAt(from)
  const at = { level: from, slots: spec.slots, magnitude: Math.SQRT1_2, error }
  const run: Use = use ?? ((e, prepared, input) => prepared.bootstrap(e, input))
  const planned = run(plan, await circuit.prepare(plan), plan.input(at))
  const request: KeyRequest = plan.report().keyRequest
  const stack = await createStack(parameters, request, engine)
  const prepared = await circuit.prepare(stack.server)
  return { stack, circuit, prepared, plannedBits: plan.estimate(planned).precisionBits }
}

/** Random points of the unit disc, from a seed. */
export function discPoints(slots: number, seed: number): Slots {
  let state = seed
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const re = new Float64Array(slots)
  const im = new Float64Array(slots)
  for (let i = 0; i < slots; i++) {
    const radius = Math.sqrt(uniform())
    const angle = 2 * Math.PI * uniform()
    re[i] = radius * Math.cos(angle)
    im[i] = radius * Math.sin(angle)
  }
  return { re, im }
}

/** Bits of the worst and of the root mean square error of complex slots. */
export function slotErrors(got: Slots, want: { re: Float64Array; im?: Float64Array }): { worst: number; rms: number } {
  let worst = 0
  let square = 0
  for (let i = 0; i < got.re.length; i++) {
    const error = Math.hypot(got.re[i]! - want.re[i]!, got.im[i]! - (want.im?.[i] ?? 0))
    worst = Math.max(worst, error)
    square += error * error
  }
  return { worst: -Math.log2(worst), rms: -Math.log2(Math.sqrt(square / got.re.length)) }
}
