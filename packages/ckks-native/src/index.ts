/**
 * The native engine: RNS-CKKS in C++ behind the port of `@he-ml/ckks-core`. For clients (secret keys, encryption,
 * decryption) see the `client` subpath.
 *
 * @packageDocumentation
 */
export {
  type CiphertextNames,
  type CiphertextSegment,
  encodeCiphertexts,
  exportSegment,
  importCiphertexts,
} from './ciphertext-files.ts'
export { type LoadKeyFilesOptions, loadEvaluationKeyFiles } from './evaluation-key-files.ts'
export { type EvaluationKeyKind, type ExpectedKey, loadEvaluationKey, loadEvaluationKeys } from './evaluation-keys.ts'
export { NativeCiphertext, NativePlaintext } from './handles.ts'
export { kernels } from './kernels.ts'
export { KEY_SET_FILE } from './key-set-file.ts'
export { nativeAvailable } from './loader.ts'
export { createNativeEngine, NativeEngine, type NativeEngineOptions } from './native-engine.ts'
export { wantedKeyFiles } from './wanted-key-files.ts'
