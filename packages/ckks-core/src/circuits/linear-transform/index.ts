export * from './diagonal-matrix.ts'
export * from './prepare-linear-transform.ts'
export * from './split.ts'
