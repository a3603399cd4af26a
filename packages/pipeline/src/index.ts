/**
 * fit, compile, plan and run encrypted networks.
 *
 * @packageDocumentation
 */
export { bindPlan } from './bind/bind-plan.ts'
export { compile, compileAndBind } from './compile/compile.ts'
export { COMPILE_DEFAULTS } from './compile/defaults.ts'
export { inputLayoutFor, type Packing } from './compile/input-layout.ts'
export type {
  BootstrappingOptions,
  CompileOptions,
  CompileStage,
  DesignedBootstrapping,
  NamedBootstrapping,
} from './compile/options.ts'
export type { BoundPlan } from './plan/bound-plan.ts'
export { contractOf } from './plan/contract.ts'
export { packInputs } from './plan/pack-inputs.ts'
export { inputLayoutOf, outputLayoutOf, parametersOf, parsePlan, planDigest } from './plan/plan.ts'
export { planCheck } from './plan/plan-check.ts'
export type {
  Plan,
  PlanBootstrapping,
  PlanCircuit,
  PlanEndpoint,
  PlanFunctional,
  PlanFunctionalCircuit,
  PlanGrid,
  PlanInput,
  PlanLayerTask,
  PlanModel,
  PlanRefreshTask,
  PlanTask,
  PlanTaskFigures,
} from './plan/plan-form.ts'
export type {
  CiphertextFigures,
  KeyFigures,
  LayerReport,
  MemoryFigures,
  OperationCounts,
  PlanReport,
  RefreshReport,
} from './plan/plan-report.ts'
export { checkProgram } from './program/check-program.ts'
export type { Program, ProgramCircuit, ProgramFunctional, ProgramInput } from './program/program.ts'
export { ProgramError, type ProgramRule } from './program/program-error.ts'
export type { RefreshShape } from './program/refresh-shape.ts'
export { isRefresh, type LayerTask, type RefreshTask, type RefreshUse, type Task, type TaskId } from './program/task.ts'
export type { Operand, Part, Value, ValueId } from './program/value.ts'
export type {
  BootstrappingWeights,
  FunctionalWeights,
  LayerWeights,
  MaskWeights,
  Weights,
  WeightsId,
} from './program/weights.ts'
export type { ActivationOptions } from './ready/calibrate-activations.ts'
export type { Calibration, ChannelStatistics, InputRange, OutputRanges, ValueSize } from './ready/calibration.ts'
export { parseCalibration, serializeCalibration } from './ready/calibration-file.ts'
export { type FitOptions, fit } from './ready/fit.ts'
export { modelDigest } from './ready/model-digest.ts'
export { type Decided, restoreChannels } from './ready/prepare-model.ts'
export type { CheckpointStore } from './run/checkpoint.ts'
export { type CheckpointedCiphertext, checkpointedCiphertext } from './run/checkpoint-name.ts'
export { Runner } from './run/run.ts'
export type { RunInputs, RunnerStores, RunOptions, RunProgress } from './run/run-options.ts'
export type { TaskTrace } from './run/task-trace.ts'
export { type Cheapest, type CheapestOptions, compileCheapest, type JudgedWay } from './simulate/compile-cheapest.ts'
export type { SimulatedLayer } from './simulate/layer-record.ts'
export { type SimulateOptions, type SimulationReport, simulate } from './simulate/simulate.ts'
