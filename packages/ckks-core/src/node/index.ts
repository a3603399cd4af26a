/**
 * Containers in the file system of Node: atomic writing, checked and streamed reading.
 *
 * @module node
 */
export * from './atomic-file.ts'
export * from './container-file.ts'
export { openCiphertextFolder } from './folder-ciphertext-store.ts'
export { KEY_SET_FILE, type KeySet, type KeySetIds, readKeySet, writeKeySet } from './key-set-file.ts'
export * from './listed-keys.ts'
export * from './read-ordinary-file.ts'
export { isSecretKeyFile, LEDGER_ENDING } from './secret-key-file.ts'
export * from './system-error.ts'
export * from './write-container-file.ts'
