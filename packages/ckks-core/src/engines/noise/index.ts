export * from './gaussian.ts'
export * from './noise-model.ts'
export * from './predict.ts'
