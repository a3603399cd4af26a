/** A client without cryptography: files are JSON of their facts and values. What the base class checks can be seen on it alone. */
import { insecureParameters } from '../parameters/create-parameters.ts'
import type { PlanContract } from '../port/plan-contract.ts'
import { BaseClientEngine } from './base-client-engine.ts'
import type { KeyFile, PrivateSlots } from './client-engine.ts'
import type { FileFacts } from './file-facts.ts'
import type { EncryptionTask } from './prepare-encryption.ts'
import { createKeyId, type SecretKey } from './secret-key.ts'

export const parameters = insecureParameters({ logN: 10, levels: 2, scaleBits: 40 })

/** Two ciphertexts in, one out; errors below 2^-20. */
export const contract: PlanContract = {
  plan: 'ab'.repeat(32),
  parameters: parameters.id,
  input: { level: 2, scale: 2 ** 40, slots: 4, ciphertexts: 2, range: { min: -1, max: 2 } },
  output: { level: 0, scale: 2 ** 40, slots: 4, ciphertexts: 1 },
  errorBound: 2 ** -20,
}

export const fakeKey = (keyId = createKeyId()): SecretKey => ({
  parameters,
  keyId,
  disposed: false,
  dispose() {},
  [Symbol.dispose]() {},
})

export interface FakeFile {
  readonly facts: FileFacts
  readonly values: readonly (readonly number[])[]
}
const write = (file: FakeFile): Uint8Array => new TextEncoder().encode(JSON.stringify(file))
export const readFake = (bytes: Uint8Array): FakeFile => JSON.parse(new TextDecoder().decode(bytes))

export class FakeClient extends BaseClientEngine {
  readonly name = 'fake'
  override readonly errorsWithinPlan: boolean
  /** Files whose values came into being. */
  decrypted = 0

  constructor(errorsWithinPlan = true) {
    super(parameters)
    this.errorsWithinPlan = errorsWithinPlan
  }
  generateSecretKey = async () => fakeKey()
  exportSecretKey = async (key: SecretKey) => new TextEncoder().encode(key.keyId)
  importSecretKey = async (bytes: Uint8Array) => fakeKey(new TextDecoder().decode(bytes))
  generatePublicKey = async () => new Uint8Array()
  async *generateEvaluationKeys(): AsyncIterable<KeyFile> {}
  readFacts = (file: Uint8Array) => readFake(file).facts
  async dispose() {}

  protected async encryptTask(key: SecretKey | Uint8Array, task: EncryptionTask): Promise<Uint8Array> {
    const { inputs, level, scale, plan, request } = task
    return write({
      facts: {
        names: { plan, keyId: key instanceof Uint8Array ? undefined : key.keyId, request },
        ciphertexts: inputs.map(({ values }) => ({ level, scale, degree: 1, slots: values.re.length })),
      },
      values: inputs.map(({ values }) => [...values.re]),
    })
  }
  protected async decryptFile(_: SecretKey, file: Uint8Array): Promise<PrivateSlots[]> {
    this.decrypted++
    const { facts, values } = readFake(file)
    return values.map((v, i) => {
      const { level, scale } = facts.ciphertexts[i]!
      const re = Float64Array.from(v)
      return { visibility: 'private', re, im: new Float64Array(v.length), slots: v.length, level, scale }
    })
  }
}

/** An honest server's answer: the first input's values, at the end of the contract. `facts` is what a hostile one changes. */
export function answer(input: Uint8Array, facts: Partial<FileFacts> = {}, values?: readonly number[]): Uint8Array {
  const given = readFake(input)
  const { level, scale, slots } = contract.output
  const honest = { names: given.facts.names!, ciphertexts: [{ level, scale, slots, degree: 1 }] }
  return write({ facts: { ...honest, ...facts }, values: [values ?? given.values[0]!] })
}
