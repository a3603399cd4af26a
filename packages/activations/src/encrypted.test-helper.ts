/** Real keys and real ciphertexts beside the clear engine, for the heavy tests. */
import { type Ciphertext, type ClearEngine, createClearEngine, type Parameters } from '@he-ml/ckks-core'
import { createNativeEngine, loadEvaluationKeys, type NativeEngine } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'

/** The same circuit on both engines, on the same slots. */
export interface BothResults {
  readonly encrypted: Float64Array
  readonly clear: Float64Array
  /** The handle's level, and its scale over the nominal one of that level. */
  readonly level: number
  readonly scaleRatio: number
  readonly seconds: number
}

export type Circuit = (engine: NativeEngine | ClearEngine, input: Ciphertext) => Ciphertext

/** A client with a relinearisation key for every level, and a function that runs circuits from its ciphertexts. */
export async function encryptedRunner(parameters: Parameters) {
  const client = createNativeClient(parameters)
  const server = createNativeEngine(parameters)
  const clear = createClearEngine(parameters)
  const secret = await client.generateSecretKey()
  const request = { relinearization: parameters.maxLevel, rotations: [] }
  const keys = client.generateEvaluationKeys(secret, request)
  await loadEvaluationKeys(
    server,
    (async function* () {
      for await (const { bytes } of keys) yield bytes
    })(),
  )
  return {
    async run(circuit: Circuit, values: Float64Array): Promise<BothResults> {
      using input = await server.importCiphertext(await client.encrypt(secret, [{ values }]))
      const started = performance.now()
      using result = circuit(server, input)
      await result.ready()
      const seconds = (performance.now() - started) / 1000
      const [decrypted] = await client.decrypt(secret, await server.exportCiphertext(result))
      using clearResult = circuit(clear, clear.encryptClear(values))
      return {
        encrypted: decrypted!.re,
        clear: clear.readClear(clearResult).re,
        level: result.level,
        scaleRatio: result.scale / parameters.scaleAt(result.level),
        seconds,
      }
    },
    async [Symbol.asyncDispose]() {
      await server.dispose()
      await client.dispose()
      await clear.dispose()
    },
  }
}

/** -log2 of the largest difference. */
export function bitsBetween(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!)
    if (!(difference <= worst)) worst = difference
  }
  return -Math.log2(worst)
}
