/**
 * The native engine: RNS-CKKS in C++ behind the port of `@he-ml/ckks-core`. For clients (secret keys, encryption,
 * decryption) see the `client` subpath.
 *
 * @module index
 */
export { NativeCiphertext, NativePlaintext } from './handles.ts'
export { kernels } from './kernels.ts'
export { type KeyFolderOptions, openKeyFolder } from './keys/key-folder.ts'
export { type KeyMemoryOptions, openKeyMemory } from './keys/key-memory.ts'
export { type LoadKeyFolderOptions, loadKeyFolder } from './keys/load-key-folder.ts'
export { loadEvaluationKey, loadEvaluationKeys } from './keys/load-keys.ts'
export { createNativeHost, nativeHost } from './keys/native-host.ts'
export { nativeAvailable } from './loader.ts'
export { createNativeEngine, NativeEngine, type NativeEngineOptions } from './native-engine.ts'
export { NativeLane } from './native-lane.ts'
