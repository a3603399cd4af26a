export * from './clear/index.ts'
export * from './noise/index.ts'
export * from './plan/index.ts'
