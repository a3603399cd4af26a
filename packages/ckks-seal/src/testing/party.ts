import {
  type AnyParameters,
  type Ciphertext,
  createClearEngine,
  createPlanEngine,
  type Encoder,
  type Evaluator,
  insecureParametersWithFiles,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import type { SealModule } from '../backend/load.ts'
import { createSealClient, type SealClient } from '../client/seal-client.ts'
import { sealParameters } from '../parameters.ts'
import { createSealEngine, type SealEngine } from '../seal-engine.ts'

/** Another node-seal than the installed one: HE_ML_NODE_SEAL is the path of its module. */
async function otherSeal(): Promise<{ seal?: SealModule }> {
  const path = process.env.HE_ML_NODE_SEAL
  if (!path) return {}
  const { default: initialize } = (await import(/* @vite-ignore */ path)) as { default: () => Promise<SealModule> }
  return { seal: await initialize() }
}
const module = otherSeal()

/** Insecure parameters, small for speed. */
export const testParameters = (logN: number, levels: number, scaleBits = 40): AnyParameters =>
  insecureParametersWithFiles(sealParameters({ logN, levels, scaleBits }))

/** A circuit on the port. */
export type Circuit = (engine: Encoder & Evaluator, inputs: readonly Ciphertext[]) => Ciphertext | Promise<Ciphertext>

export interface Party extends AsyncDisposable {
  readonly engine: SealEngine
  readonly client: SealClient
  readonly secret: SecretKey
}

/** Engine, client and exactly the keys that the plan engine records for the circuit. */
export async function createParty(
  parameters: AnyParameters,
  circuit: Circuit = (_, [x]) => x!,
  slots: readonly number[] = [parameters.maxSlots],
): Promise<Party> {
  const plan = createPlanEngine(parameters, { doubleHoisting: false })
  await circuit(
    plan,
    slots.map((n) => plan.input({ slots: n })),
  )
  const options = await module
  const client = await createSealClient(parameters, options)
  const engine = await createSealEngine(parameters, options)
  const secret = await client.generateSecretKey()
  for await (const key of client.generateEvaluationKeys(secret, plan.report().keyRequest)) {
    if (key.kind === 'relinearizationKey') engine.loadRelinearizationKey(key.bytes)
    else engine.loadGaloisKeys(key.bytes)
  }
  const dispose = async () => {
    secret.dispose()
    await engine.dispose()
    await client.dispose()
  }
  return { engine, client, secret, [Symbol.asyncDispose]: dispose }
}

export interface Half {
  readonly re: Float64Array
  readonly im?: Float64Array
}

/** Runs a circuit encrypted and clear; -log2 of the largest difference, after comparing level, scale and period. */
export async function precisionBits(
  parameters: AnyParameters,
  inputs: readonly Half[],
  circuit: Circuit,
): Promise<number> {
  const slots = inputs.map((x) => x.re.length)
  await using party = await createParty(parameters, circuit, slots)
  const { engine, client, secret } = party
  const encrypted = await Promise.all(
    inputs.map(async (values) => {
      const file = await client.encrypt(secret, [{ values: values as never }])
      return engine.importCiphertext(file, { slots: values.re.length })
    }),
  )
  const clear = createClearEngine(parameters)
  const wanted = (await circuit(
    clear,
    inputs.map((x) => clear.encryptClear(x as never)),
  )) as Ciphertext
  const got = await circuit(engine, encrypted)
  if (got.level !== wanted.level || got.scale !== wanted.scale || got.slots !== wanted.slots)
    throw new Error(`expected level ${wanted.level} scale ${wanted.scale}, got ${got.level} ${got.scale}`)
  const [decrypted] = await client.decrypt(secret, await engine.exportCiphertext(got))
  const { re, im } = clear.readClear(wanted)
  let worst = 0
  for (let i = 0; i < parameters.maxSlots; i++) {
    const k = i % re.length
    worst = Math.max(worst, Math.hypot(decrypted!.re[i]! - re[k]!, decrypted!.im[i]! - im[k]!))
  }
  return -Math.log2(worst)
}

/** Values in [-1, 1], the same for a seed. */
export function values(n: number, seed: number): Float64Array {
  let state = seed
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}
