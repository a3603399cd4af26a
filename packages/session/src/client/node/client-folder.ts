/**
 * All that a client needs, in a folder of its own: `plan.json`, `secret.key` (mode 0600) and beside it its ledger. Nothing of it is for the
 * server, whose folder `writeServerFolder` makes.
 */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { onFile } from '@he-ml/ckks-core/node'
import { type Plan, parametersOf } from '@he-ml/pipeline'
import { readPlanFile, writePlanFile } from '../../files/plan-file.ts'
import { ClientSession } from '../client-session.ts'
import { InferenceClient, type MakeClientEngine } from '../inference-client.ts'
import { keyMemory } from './key-ledger.ts'
import { looseModes, readSecretKey, writeSecretKey } from './secret-key-file.ts'

/** Options of {@link openClientFolder}. */
export interface ClientFolderOptions {
  /** Told when others may read the secret key, or exchange it: what is open, and the command that closes it. Default: a line on stderr each. */
  readonly onWarning?: (text: string) => void
}

const KEY_FILE = 'secret.key'

/**
 * A client with a fresh secret key that is kept in a folder, which is made when needed (mode 0700).
 *
 * @throws InvalidArgumentError where the folder holds a secret key already: a key is never written over; SecurityError when the plan's
 *   parameters are not 128-bit secure; FileSystemError
 */
export async function createClientFolder(
  folder: string,
  plan: Plan,
  makeEngine: MakeClientEngine,
): Promise<InferenceClient> {
  const path = join(folder, KEY_FILE)
  if (await isThere(path))
    throw new InvalidArgumentError(
      `${path} exists: a secret key is never written over; open the folder with openClientFolder, or name another`,
    )
  const engine = await makeEngine(parametersOf(plan))
  try {
    const key = await engine.generateSecretKey()
    try {
      await onFile(folder, mkdir(folder, { recursive: true, mode: 0o700 }))
      await writePlanFile(folder, plan)
      await writeSecretKey(engine, key, path, plan)
      const { ledger, contract } = await keyMemory(engine.name, path, key, plan)
      return new InferenceClient(new ClientSession({ plan, engine, key, contract, ...(ledger ? { ledger } : {}) }))
    } catch (error) {
      key.dispose()
      throw error
    }
  } catch (error) {
    await engine.dispose()
    throw error
  }
}

/**
 * The client of a folder that {@link createClientFolder} made.
 *
 * @throws FileSystemError where a file is missing; FormatError for a damaged one; ParameterMismatchError for a key or ledger of another plan
 */
export async function openClientFolder(
  folder: string,
  makeEngine: MakeClientEngine,
  { onWarning = warn }: ClientFolderOptions = {},
): Promise<InferenceClient> {
  const plan = await readPlanFile(folder)
  const path = join(folder, KEY_FILE)
  const engine = await makeEngine(parametersOf(plan))
  try {
    const key = await readSecretKey(engine, path, plan)
    try {
      for (const text of await looseModes(path)) onWarning(text)
      const { ledger, contract } = await keyMemory(engine.name, path, key, plan)
      return new InferenceClient(new ClientSession({ plan, engine, key, contract, ...(ledger ? { ledger } : {}) }))
    } catch (error) {
      key.dispose()
      throw error
    }
  } catch (error) {
    await engine.dispose()
    throw error
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`)
}
