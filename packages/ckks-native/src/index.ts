/**
 * The native engine: RNS-CKKS in C++ behind the port of `@he-ml/ckks-core`. For clients (secret keys, encryption,
 * decryption) see the `client` subpath.
 *
 * @packageDocumentation
 */
export { NativeCiphertext, NativePlaintext } from './handles.ts'
export { kernels } from './kernels.ts'
export { type KeyFolderOptions, openKeyFolder } from './keys/key-folder.ts'
export { openKeyMemory } from './keys/key-memory.ts'
export { type LoadKeyFolderOptions, loadKeyFolder } from './keys/load-key-folder.ts'
export { type EvaluationKeyKind, type ExpectedKey, loadEvaluationKey, loadEvaluationKeys } from './keys/load-keys.ts'
export { wantedKeyFiles } from './keys/wanted-key-files.ts'
export { nativeAvailable } from './loader.ts'
export { createNativeEngine, NativeEngine, type NativeEngineOptions } from './native-engine.ts'
export { NativeLane } from './native-lane.ts'
