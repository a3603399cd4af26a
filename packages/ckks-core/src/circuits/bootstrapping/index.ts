export * from './bootstrapping.ts'
export * from './bootstrapping-circuit.ts'
export * from './bootstrapping-parameters.ts'
export * from './bootstrapping-sets.ts'
export * from './bootstrapping-spec.ts'
export { bootstrapBend } from './eval-mod.ts'
export * from './iterated.ts'
export type {
  BootstrapOptions,
  PrepareBootstrappingOptions,
  PreparedBootstrapping,
} from './prepared-bootstrapping.ts'
export type { RefreshFunction } from './refresh-function.ts'
