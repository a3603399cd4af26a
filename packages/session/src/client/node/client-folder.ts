/**
 * All that a client needs, in a folder of its own: `plan.json`, `secret.key` (mode 0600) and beside it its ledger. Nothing of it is for the
 * server, whose folder `writeServerFolder` makes.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkArgument, checkOptions, InvalidArgumentError, type OptionChecks, optionCheck } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { ledgerPath, lockFolder } from '@he-ml/ckks-core/client/node'
import { onFile } from '@he-ml/ckks-core/node'
import { type Plan, planCheck } from '@he-ml/pipeline'
import { beginPlanFile, readPlanFile } from '../../files/plan-file.ts'
import { KEY_FILE } from '../../files/secret-in.ts'
import { ClientSession } from '../client-session.ts'
import { InferenceClient, type MakeClientEngine, makeClientEngine } from '../inference-client.ts'
import { assertNotServers } from './folders-apart.ts'
import { isThere } from './is-there.ts'
import { keyMemory } from './key-ledger.ts'
import { looseModes, readSecretKey, writeSecretKey } from './secret-key-file.ts'

/** Options of {@link openClientFolder}. */
export interface ClientFolderOptions {
  /** Told when others may read the secret key or exchange it, with the command that ends it, and when its ledger is missing. Default: a line on stderr each. */
  readonly onWarning?: (text: string) => void
}

const OPTIONS: OptionChecks<ClientFolderOptions> = { onWarning: optionCheck.callable }

/**
 * A client with a fresh secret key that is kept in a folder, which is made when needed (mode 0700).
 *
 * @throws InvalidArgumentError where the folder holds a secret key already, which is never written over, the ledger of a lost one, or another
 *   plan, where it is a server's or lies in one, and while another process makes it; SecurityError when the plan's parameters are not 128-bit secure; FormatError for a plan that was changed; FileSystemError
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { mkdtemp, readdir, rm } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile } from '@he-ml/pipeline'
 * import { createClientFolder } from '@he-ml/session/client/node'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const folder = await mkdtemp(join(tmpdir(), 'he-ml-'))
 * await using client = await createClientFolder(folder, await compile(model), createNativeClient)
 * console.log(client.plan.id, await readdir(folder)) // plan.json, secret.key, its ledger
 * await assert.rejects(createClientFolder(folder, client.plan, createNativeClient), /never written over/)
 * await rm(folder, { recursive: true })
 * ```
 */
export async function createClientFolder(
  folder: string,
  plan: Plan,
  makeEngine: MakeClientEngine,
  options: ClientFolderOptions = {},
): Promise<InferenceClient> {
  checkArgument('createClientFolder', 'folder', folder, optionCheck.path)
  checkArgument('createClientFolder', 'plan', plan, planCheck.plan)
  checkOptions('createClientFolder', options, OPTIONS)
  const { onWarning = warn } = options
  const path = join(folder, KEY_FILE)
  await assertNoKey(path)
  await assertNotServers(folder)
  return withKey(plan, { path, onWarning }, makeEngine, async (engine) => {
    const key = await engine.generateSecretKey()
    return {
      key,
      ready: async () => {
        await onFile(folder, mkdir(folder, { recursive: true, mode: 0o700 }))
        await lockFolder(folder, async () => {
          await assertNoKey(path)
          await beginPlanFile(folder, plan)
          await writeSecretKey(engine, key, path, plan)
        })
      },
    }
  })
}

/** @throws InvalidArgumentError where a secret key is, or the ledger of one that is not there */
async function assertNoKey(path: string): Promise<void> {
  if (await isThere(path))
    throw new InvalidArgumentError(
      `${path} exists: a secret key is never written over; open the folder with openClientFolder, or name another`,
    )
  const ledger = ledgerPath(path)
  if (await isThere(ledger))
    throw new InvalidArgumentError(
      `${ledger} is the ledger of a key that is not in ${path}: put the key back; or, where there was none or it is lost, move the ledger away: mv ${ledger} ${ledger}.old`,
    )
}

/**
 * The client of a folder that {@link createClientFolder} made.
 *
 * @throws FileSystemError where a file is missing; FormatError for a damaged one; ParameterMismatchError for a key or ledger of another plan
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { mkdtemp, rm } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile } from '@he-ml/pipeline'
 * import { createClientFolder, openClientFolder } from '@he-ml/session/client/node'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const folder = await mkdtemp(join(tmpdir(), 'he-ml-'))
 * const fresh = await createClientFolder(folder, await compile(model), createNativeClient)
 * await fresh.dispose()
 * await using client = await openClientFolder(folder, createNativeClient) // another day
 * assert.equal(client.plan.model.name, 'toy')
 * await rm(folder, { recursive: true })
 * ```
 */
export async function openClientFolder(
  folder: string,
  makeEngine: MakeClientEngine,
  options: ClientFolderOptions = {},
): Promise<InferenceClient> {
  checkArgument('openClientFolder', 'folder', folder, optionCheck.path)
  checkOptions('openClientFolder', options, OPTIONS)
  const { onWarning = warn } = options
  const plan = await readPlanFile(folder)
  const path = join(folder, KEY_FILE)
  return withKey(plan, { path, onWarning }, makeEngine, async (engine) => ({
    key: await readSecretKey(engine, path, plan),
    ready: async () => {},
  }))
}

/** A key, and what is to be done before it is used. */
interface HeldKey {
  readonly key: SecretKey
  readonly ready: () => Promise<void>
}

/** A client with the key's ledger; engine and key are disposed of when anything fails. */
async function withKey(
  plan: Plan,
  { path, onWarning }: { readonly path: string; readonly onWarning: (text: string) => void },
  makeEngine: MakeClientEngine,
  hold: (engine: ClientEngine) => Promise<HeldKey>,
): Promise<InferenceClient> {
  const engine = await makeClientEngine(plan, makeEngine)
  let key: SecretKey | undefined
  try {
    const held = await hold(engine)
    key = held.key
    await held.ready()
    for (const text of await looseModes(path)) onWarning(text)
    const { ledger, contract } = await keyMemory(engine.name, path, key, plan)
    if (!ledger && engine.errorsWithinPlan)
      onWarning(`${ledgerPath(path)} is missing: results under this key can be read but not published`)
    return new InferenceClient(new ClientSession({ plan, engine, key, contract, ...(ledger ? { ledger } : {}) }))
  } catch (error) {
    key?.dispose()
    await engine.dispose()
    throw error
  }
}

function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`)
}
