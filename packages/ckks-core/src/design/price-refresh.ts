/** A parameter set at work: what one bootstrap takes and leaves, from its own circuit on the plan engine. */
import {
  type BootstrappingRequest,
  type BootstrappingSet,
  bootstrappingLiteral,
  createBootstrapping,
} from '../circuits/bootstrapping/index.ts'
import type { CostModel } from '../engines/plan/cost-model.ts'
import { createPlanEngine } from '../engines/plan/plan-engine.ts'
import { createParameters } from '../parameters/create-parameters.ts'

export interface RefreshPrice {
  readonly set: BootstrappingSet
  /** Of one bootstrap of two ciphertexts of real values. */
  readonly seconds: number
  /** -log2 of the root mean square error of values in the unit disc. */
  readonly precisionBits: number
  /** Of all evaluation keys, in memory. */
  readonly keyBytes: number
}

/** @throws SecurityError, InvalidArgumentError for a request that makes no secure set */
export async function priceRefresh(request: BootstrappingRequest, costModel: CostModel): Promise<RefreshPrice> {
  const parameters = createParameters(bootstrappingLiteral(request))
  const circuit = createBootstrapping(parameters, request.spec)
  const engine = createPlanEngine(parameters, { costModel })
  using prepared = await circuit.prepare(engine)
  const [a, b] = [0, 1].map(() => engine.input({ level: circuit.inputLevel, slots: request.spec.slots }))
  const since = engine.checkpoint()
  const [fresh] = prepared.bootstrapPair(engine, a!, b!)
  const { seconds, keyBytes } = engine.report({ since })
  const { error } = engine.estimate(fresh)
  return { set: { parameters, spec: request.spec }, seconds, precisionBits: -Math.log2(error), keyBytes }
}
