export * from './cleaning.ts'
export * from './fourier-extension.ts'
export * from './functional-bootstrapping.ts'
export * from './functional-circuit.ts'
export * from './functional-parameters.ts'
export * from './functional-sets.ts'
export * from './functional-spec.ts'
export * from './grid-function.ts'
export * from './grid-options.ts'
export * from './periodic-function.ts'
export type { FunctionalEstimate, ObservedPoint } from './predict-functions.ts'
export type {
  EvaluateFunctionsOptions,
  PreparedFunctionalBootstrapping,
  PrepareFunctionalOptions,
} from './prepared-functional-bootstrapping.ts'
export * from './steep-step.ts'
