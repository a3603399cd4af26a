export { createMemoryCiphertextStore } from './create-memory-ciphertext-store.ts'
export { createDeclaredKeyStore } from './declared-key-store.ts'
export type { EngineHost, KeySource, OpenKeysOptions } from './engine-host.ts'
