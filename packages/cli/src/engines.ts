/** The engine a command runs on. Native where it loads; otherwise seal, for plans whose parameters SEAL can hold. */
import { type AnyParameters, type EngineHost, HeMlError, UnsupportedError } from '@he-ml/ckks-core'
import type { ClientEngine } from '@he-ml/ckks-core/client'
import { createNativeEngine, nativeAvailable, nativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createSealEngine } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { sealHost } from '@he-ml/ckks-seal/node'

export const ENGINES = ['auto', 'native', 'seal'] as const
export type EngineChoice = (typeof ENGINES)[number]

export interface EngineOptions {
  readonly engine: EngineChoice
  readonly threads?: number
  readonly memory?: number
}

/** 'native' or 'seal' for 'auto'; says on stderr why it fell back. */
export function chooseEngine(choice: EngineChoice): 'native' | 'seal' {
  if (choice !== 'auto') return choice
  if (nativeAvailable()) return 'native'
  process.stderr.write('the native engine is not available here; using node-seal (slower, leveled only)\n')
  return 'seal'
}

export async function openClient(parameters: AnyParameters, options: EngineOptions): Promise<ClientEngine> {
  if (chooseEngine(options.engine) === 'native') return createNativeClient(parameters, threadsOf(options))
  return explainSeal(() => createSealClient(parameters))
}

/** The engine as a server uses it. */
export async function openServer(parameters: AnyParameters, options: EngineOptions): Promise<EngineHost> {
  if (chooseEngine(options.engine) === 'seal') return sealHost(await explainSeal(() => createSealEngine(parameters)))
  const memory = options.memory === undefined ? {} : { memoryCeiling: options.memory }
  return nativeHost(createNativeEngine(parameters, { ...threadsOf(options), ...memory }))
}

const threadsOf = (options: EngineOptions) => (options.threads === undefined ? {} : { threads: options.threads })

async function explainSeal<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof HeMlError && error.code === 'Unsupported')
      throw new UnsupportedError(
        `${error.message}. Make the plan with --engine seal to get parameters that SEAL can hold`,
        { cause: error },
      )
    throw error
  }
}
