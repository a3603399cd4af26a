import type { AnyParameters, EngineHost } from '@he-ml/ckks-core'
import { openSealKeyMemory } from '../keys/key-memory.ts'
import { sealKeyFiles } from '../keys/wanted-key-files.ts'
import { createSealEngine, type SealEngine } from '../seal-engine.ts'
import { openSealKeyFolder } from './key-folder.ts'

/**
 * The seal engine as a server uses it: what a `ServerSession` of `@he-ml/session` needs.
 *
 * @example
 * ```ts
 * import { createParameters } from '@he-ml/ckks-core'
 * import { createSealEngine, sealParameters } from '@he-ml/ckks-seal'
 * import { sealHost } from '@he-ml/ckks-seal/node'
 * const parameters = createParameters(sealParameters({ logN: 13, levels: 2, scaleBits: 36 }))
 * const host = sealHost(await createSealEngine(parameters))
 * console.log(host.wantedKeyFiles(parameters, { rotations: [{ steps: 1, level: 2 }] }))
 * await host.engine.dispose()
 * ```
 */
export function sealHost(engine: SealEngine): EngineHost {
  return {
    engine,
    wantedKeyFiles: sealKeyFiles,
    openKeys: (source, options) =>
      source.kind === 'folder'
        ? openSealKeyFolder(engine, source.path, options)
        : openSealKeyMemory(engine, source.files, {
            keyId: source.keyId,
            ...(options.budget === undefined ? {} : { budget: options.budget }),
            ...(options.onJudged === undefined ? {} : { onJudged: options.onJudged }),
          }),
  }
}

/**
 * An engine of its own as a server uses it: `openServer` of `@he-ml/session` takes this function.
 * @throws as `createSealEngine`
 */
export const createSealHost = async (parameters: AnyParameters): Promise<EngineHost> =>
  sealHost(await createSealEngine(parameters))
