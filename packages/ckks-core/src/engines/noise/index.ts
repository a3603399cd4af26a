export * from './gaussian.ts'
export * from './noise-model.ts'
export * from './predict.ts'
export { defaultSamples, histogramSamples, type SampleCounts, type Samples } from './samples.ts'
