export { ClearEngine, type ClearEngineOptions, createClearEngine } from './clear-engine.ts'
