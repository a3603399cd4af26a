/**
 * fit, compile, plan and run encrypted networks.
 *
 * @packageDocumentation
 */
export type { ActivationOptions } from './compile/calibrate-activations.ts'
export { type CompileOptions, compile, compileAndBind } from './compile/compile.ts'
export { inputLayoutFor, type Packing } from './compile/input-layout.ts'
export type { Schedule, ScheduledNode } from './compile/schedule.ts'
export { parseCalibration, serializeCalibration } from './fit/calibration-file.ts'
export { type Calibration, type FitOptions, fit } from './fit/fit.ts'
export { type BoundPlan, bindPlan } from './plan/bound-plan.ts'
export {
  inputLayoutOf,
  type LayerReport,
  outputLayoutOf,
  type Plan,
  type PlanReport,
  parsePlan,
  planDigest,
} from './plan/plan.ts'
export type { CheckpointStore } from './run/checkpoint.ts'
export { Runner, type RunOptions, type RunProgress } from './run/run.ts'
