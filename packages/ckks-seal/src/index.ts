/**
 * The engine port on node-seal.
 *
 * @module index
 */
export type { SealModule } from './backend/load.ts'
export { openSealKeyMemory } from './keys/key-memory.ts'
export type { SealKeyStoreOptions } from './keys/seal-key-store.ts'
export { sealParameters } from './parameters.ts'
export { createSealEngine, type SealEngine, type SealEngineOptions } from './seal-engine.ts'
export { assertSealHolds, type SealLoad, sealCostModel } from './seal-plans.ts'
