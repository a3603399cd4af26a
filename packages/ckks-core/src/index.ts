/**
 * The vocabulary of HE-ML: checked CKKS parameters, the Engine port, circuits on it, and the weightless engines.
 *
 * @module index
 */
export * from './circuits/index.ts'
export * from './design/index.ts'
export * from './engines/index.ts'
export * from './errors/index.ts'
export * from './format/index.ts'
export * from './parameters/index.ts'
export * from './port/index.ts'
export * from './stores/index.ts'
