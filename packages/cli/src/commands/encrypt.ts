/** he-ml encrypt: images to one ciphertext file, with the secret or a public key. */
import { FormatError, parseContainer } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { contractOf, type Plan, parametersOf } from '@he-ml/pipeline'
import { assertNamed } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'
import { assertPlanOfKey, keyMemory, readKeyBytes, takeSecretKey } from '@he-ml/session/client/node'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { aboutFiles } from '../files/about-file.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { noteNoLedger, warnLooseModes } from '../files/key-notes.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { type CommonOptions, withEngine, withOutput, withThreads } from './common.ts'
import { chooseImages, type ImageChoice, withImages } from './images.ts'

interface EncryptOptions extends CommonOptions, ImageChoice {
  readonly plan: string
  readonly key: string
  readonly out: string
  readonly allowOutOfRange?: boolean
  readonly engine: EngineChoice
  readonly threads: number
}

export function addEncryptCommand(program: Command): void {
  const command = program
    .command('encrypt')
    .description('encrypt images for a plan')
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-k, --key <file>', 'secret key, or a public key')
    .requiredOption('-o, --out <file>', 'where the ciphertexts go')
    .option('--allow-out-of-range', "encrypt values outside the plan's range; the result cannot be published")
  withOutput(withThreads(withEngine(withImages(command)))).action(async (options: EncryptOptions) => {
    await assertOutputApart(options.out, { files: [options.plan, options.key, options.data] })
    const plan = await readPlan(options.plan)
    const parameters = parametersOf(plan)
    const { indices, tensors } = await chooseImages(options, plan)
    const client = await openClient(parameters, options)
    try {
      const { secret: held, publicKey } = await readKey(client, options.key, plan)
      using secret = held
      const memory = secret ? await keyMemory(client.name, options.key, secret, plan) : { contract: contractOf(plan) }
      const ledger = 'ledger' in memory ? memory.ledger : undefined
      if (secret && !ledger && client.name !== 'seal') noteNoLedger(options.key, options)
      const session = new ClientSession({
        plan,
        engine: client,
        key: secret ?? publicKey!,
        contract: memory.contract,
        ...(ledger ? { ledger } : {}),
      })
      const read = { [options.data]: 'the data', [options.key]: 'the key', [options.plan]: 'the plan' }
      const file = await aboutFiles(read, () =>
        session.encrypt(tensors, {
          allowOutOfRange: options.allowOutOfRange ?? false,
          labels: { images: String(indices.length) },
        }),
      )
      await writeFileAtomic(options.out, file)
      const { ciphertexts } = plan.input
      print(
        options,
        { out: options.out, images: indices.length, ciphertexts, bytes: file.length },
        `${indices.length} image${indices.length === 1 ? '' : 's'} in ${ciphertexts} ciphertext${ciphertexts === 1 ? '' : 's'}, ${bytes(file.length)}: ${options.out}`,
      )
    } finally {
      await client.dispose()
    }
  })
}

/** A secret key, or else the bytes of a public one. */
async function readKey(
  client: ClientEngine,
  path: string,
  plan: Plan,
): Promise<{ readonly secret?: SecretKey; readonly publicKey?: Uint8Array }> {
  const bytes = await readKeyBytes(client, path)
  if (client.name === 'native' && kindOf(bytes) === 'publicKey') {
    assertNamed(parseContainer(bytes).header.keyId, path)
    assertPlanOfKey(path, bytes, plan)
    return { publicKey: bytes }
  }
  // SEAL's files do not say what they are: what is no secret key is tried as a public one
  const copy = client.name === 'seal' ? bytes.slice() : undefined
  try {
    const secret = await takeSecretKey(client, bytes, path, plan)
    copy?.fill(0)
    await warnLooseModes(path)
    return { secret }
  } catch (error) {
    if (copy && error instanceof FormatError) return { publicKey: copy }
    copy?.fill(0)
    throw error
  }
}

/** Which of our files it is; undefined for none. */
function kindOf(bytes: Uint8Array): string | undefined {
  try {
    return parseContainer(bytes).header.kind
  } catch {
    return undefined
  }
}
