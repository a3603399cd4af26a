export * from './create-parameters.ts'
export * from './parameters.ts'
export * from './primes.ts'
export * from './security.ts'
