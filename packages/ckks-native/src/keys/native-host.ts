import type { AnyParameters, EngineHost } from '@he-ml/ckks-core'
import { createNativeEngine, type NativeEngine, type NativeEngineOptions } from '../native-engine.ts'
import { openKeyFolder } from './key-folder.ts'
import { openKeyMemory } from './key-memory.ts'
import { wantedKeyFiles } from './wanted-key-files.ts'

/**
 * The native engine as a server uses it: what a `ServerSession` of `@he-ml/session` needs.
 *
 * @example
 * ```ts
 * import { recommendedParameters } from '@he-ml/ckks-core'
 * import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
 * const parameters = recommendedParameters('N14-L6')
 * const host = nativeHost(createNativeEngine(parameters))
 * console.log(host.wantedKeyFiles(parameters, { rotations: [{ steps: 1, level: 2 }] }))
 * await host.engine.dispose()
 * ```
 */
export function nativeHost(engine: NativeEngine): EngineHost {
  return {
    engine,
    wantedKeyFiles,
    openKeys: (source, options) =>
      source.kind === 'folder'
        ? openKeyFolder(engine, source.path, options)
        : openKeyMemory(engine, source.files, {
            ...options,
            ...(source.keyId === undefined ? {} : { keyId: source.keyId }),
          }),
  }
}

/**
 * An engine of its own as a server uses it: `openServer` of `@he-ml/session` takes this function.
 * @throws as `createNativeEngine`
 */
export const createNativeHost = (parameters: AnyParameters, options: NativeEngineOptions = {}): EngineHost =>
  nativeHost(createNativeEngine(parameters, options))
