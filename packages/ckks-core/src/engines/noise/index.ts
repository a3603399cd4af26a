export * from './gaussian.ts'
export * from './noise-model.ts'
export * from './predict.ts'
export { defaultSamples, type Samples } from './samples.ts'
