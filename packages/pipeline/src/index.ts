/**
 * fit, compile, plan and run encrypted networks.
 *
 * @packageDocumentation
 */
export type { ActivationOptions } from './compile/calibrate-activations.ts'
export { compile, compileAndBind } from './compile/compile.ts'
export { inputLayoutFor, type Packing } from './compile/input-layout.ts'
export type { LoweredNode } from './compile/lower-model.ts'
export type { BootstrappingOptions, CompileOptions } from './compile/options.ts'
export type {
  Schedule,
  ScheduledCircuit,
  ScheduledNode,
  ScheduledRefresh,
  ScheduledStep,
} from './compile/schedule.ts'
export { parseCalibration, serializeCalibration } from './fit/calibration-file.ts'
export { type Calibration, type FitOptions, fit, type InputRange, type ValueSize } from './fit/fit.ts'
export { type BoundPlan, bindPlan } from './plan/bound-plan.ts'
export { contractOf } from './plan/contract.ts'
export {
  inputLayoutOf,
  type LayerReport,
  outputLayoutOf,
  type Plan,
  type PlanBootstrapping,
  type PlanReport,
  parsePlan,
  planDigest,
} from './plan/plan.ts'
export type { RefreshShape } from './refresh/refresh-shape.ts'
export type { CheckpointStore } from './run/checkpoint.ts'
export { Runner, type RunOptions, type RunProgress } from './run/run.ts'
