/** A client, a server and the clear engine side by side, with the same values in each. */
import { createHash } from 'node:crypto'
import {
  type AnyParameters,
  type Ciphertext,
  type ClearEngine,
  createClearEngine,
  type KeyRequest,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeClient, type NativeClient } from './client/native-client.ts'
import { loadEvaluationKeys } from './keys/load-keys.ts'
import { createNativeEngine, type NativeEngine, type NativeEngineOptions } from './native-engine.ts'

export interface Slots {
  readonly re: Float64Array
  readonly im: Float64Array
}

export interface Pair {
  readonly native: Ciphertext
  readonly clear: Ciphertext
}

/** What tests share; dispose of it at the end. */
export class Stack implements AsyncDisposable {
  readonly parameters: AnyParameters
  readonly client: NativeClient
  readonly server: NativeEngine
  readonly clear: ClearEngine
  readonly secret: SecretKey

  constructor(client: NativeClient, server: NativeEngine, clear: ClearEngine, secret: SecretKey) {
    this.parameters = server.parameters
    this.client = client
    this.server = server
    this.clear = clear
    this.secret = secret
  }

  async encrypt(re: Float64Array, options: { im?: Float64Array; level?: number } = {}): Promise<Pair> {
    const { im, ...at } = options
    const values = im ? { re, im } : re
    const file = await this.client.encrypt(this.secret, [{ values }], at)
    return { native: await this.server.importCiphertext(file), clear: this.clear.encryptClear(values, at) }
  }

  async read(ciphertext: Ciphertext): Promise<Slots> {
    const [result] = await this.client.decrypt(this.secret, await this.server.exportCiphertext(ciphertext))
    return result!
  }

  /** -log2 of the largest difference between both engines. */
  async precision(pair: Pair): Promise<number> {
    return precisionBits(await this.read(pair.native), this.clear.readClear(pair.clear))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.dispose()
    await this.client.dispose()
  }
}

export async function createStack(
  parameters: AnyParameters,
  request: KeyRequest,
  options: NativeEngineOptions = {},
): Promise<Stack> {
  const client = createNativeClient(parameters, options)
  const server = createNativeEngine(parameters, options)
  const secret = await client.generateSecretKey()
  const keys = client.generateEvaluationKeys(secret, request)
  await loadEvaluationKeys(
    server,
    (async function* () {
      for await (const key of keys) yield key.bytes
    })(),
  )
  return new Stack(client, server, createClearEngine(parameters, { keys: request }), secret)
}

/** Whether files are the same is told by this: comparing them byte by byte takes a test runner seconds. */
export const fileDigest = async (engine: NativeEngine, ciphertext: Ciphertext): Promise<string> =>
  createHash('sha256')
    .update(await engine.exportCiphertext(ciphertext))
    .digest('hex')

export const rotationKeys = (steps: readonly number[], level: number) => steps.map((s) => ({ steps: s, level }))

/** -log2 of the largest difference; 60 for none. */
export function precisionBits(got: Slots, want: Slots): number {
  let most = 2 ** -60
  for (const half of ['re', 'im'] as const)
    for (let i = 0; i < want[half].length; i++) {
      const difference = Math.abs(got[half][i]! - want[half][i]!)
      if (!(difference <= most)) most = difference
    }
  return -Math.log2(most)
}

/** Deterministic values in [-1, 1]. */
export function randomValues(count: number, seed: number): Float64Array {
  let state = seed | 0
  return Float64Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 31 - 1
  })
}
