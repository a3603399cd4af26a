/**
 * The engine port on node-seal.
 *
 * @packageDocumentation
 */
export type { SealModule } from './backend/load.ts'
export { sealParameters } from './parameters.ts'
export { createSealEngine, type SealEngine, type SealEngineOptions } from './seal-engine.ts'
export { sealKeyFiles } from './wanted-key-files.ts'
