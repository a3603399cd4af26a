/** What a server is deployed from: `plan.json`, the evaluation keys in `keys`, and the files of the model. No secret is in it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  checkArgument,
  checkOptions,
  InvalidArgumentError,
  type KeyRequest,
  type OptionCheck,
  type OptionChecks,
  optionCheck,
} from '@he-ml/ckks-core'
import { lockFolder, type WrittenKeys, writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { onFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { KEYS_FOLDER, PLAN_FILE, writePlanFile } from '../../files/plan-file.ts'
import { InferenceClient } from '../inference-client.ts'
import { assertNobodysElse, assertNoSecretFile, assertNoSecretIn } from './folders-apart.ts'

/** Options of {@link writeServerFolder}. */
export interface ServerFolderOptions {
  /** Files that the server reads the model from, by name: an ONNX file, or the two of a spiking network. Public: they are not encrypted. */
  readonly model?: Readonly<Record<string, Uint8Array>>
  /** After each key, those that were there included. */
  readonly onProgress?: (done: number, total: number) => void
  /** Stops between two keys, with CancelledError. */
  readonly signal?: AbortSignal
}

const OPTIONS: OptionChecks<ServerFolderOptions> = {
  model: (value) =>
    optionCheck.object(value) === undefined &&
    Object.values(value as object).every((bytes) => bytes instanceof Uint8Array)
      ? undefined
      : 'an object with the bytes of files by their names',
  onProgress: optionCheck.callable,
  signal: optionCheck.signal,
}

const isClient: OptionCheck = (value) =>
  value instanceof InferenceClient
    ? undefined
    : 'a client, as createClientFolder, openClientFolder or openClient gives one'

/** Leads nowhere else, and is no hidden file. */
const PLAIN_NAME = /^[\w-][\w.-]*$/

/**
 * Writes the folder, which is made when needed. Broken off it is completed by the same call with the same client: keys that are whole stay.
 * One call at a time writes to a folder, another is refused. `openServerFolder` (subpath `node`) runs what is in it.
 *
 * @throws InvalidArgumentError for a folder with a secret key or with what another client wrote, and for model files whose names lead elsewhere
 *   or are taken, or that are secret keys, and while another process writes there; CancelledError through the signal; FileSystemError
 * @example
 * ```ts
 * import { mkdtemp, readdir, rm } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile } from '@he-ml/pipeline'
 * import { openClient } from '@he-ml/session/client'
 * import { writeServerFolder } from '@he-ml/session/client/node'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const folder = await mkdtemp(join(tmpdir(), 'he-ml-'))
 * await using client = await openClient(await compile(model), createNativeClient)
 * const files = { 'toy.onnx': new Uint8Array(8) } // whatever the server reads the model from
 * await writeServerFolder(client, folder, { model: files, onProgress: (done, total) => console.log(done, total) })
 * console.log(await readdir(folder)) // plan.json, keys, toy.onnx
 * await rm(folder, { recursive: true })
 * ```
 */
export async function writeServerFolder(
  client: InferenceClient,
  folder: string,
  options: ServerFolderOptions = {},
): Promise<WrittenKeys> {
  checkArgument('writeServerFolder', 'client', client, isClient)
  const { session } = client
  checkArgument('writeServerFolder', 'folder', folder, optionCheck.path)
  checkOptions('writeServerFolder', options, OPTIONS)
  const { model = {}, onProgress, signal } = options
  const { plan } = session
  const taken = [PLAN_FILE, KEYS_FOLDER]
  for (const [name, bytes] of Object.entries(model)) {
    if (!PLAIN_NAME.test(name) || taken.includes(name))
      throw new InvalidArgumentError(
        `writeServerFolder: "${name}" cannot be the name of a model's file: expected letters, digits, "-", "_" and "." within, none of ${taken.join(', ')}`,
      )
    await assertNoSecretFile(session.engine, name, bytes)
  }
  await onFile(folder, mkdir(folder, { recursive: true }))
  return lockFolder(folder, async () => {
    await assertNoSecretIn(folder)
    await assertNobodysElse(folder, session)
    await writePlanFile(folder, plan)
    for (const [name, bytes] of Object.entries(model)) await writeFileAtomic(join(folder, name), bytes)
    return writeKeyFolder(session.engine, session.secret, plan.keyRequest as KeyRequest, join(folder, KEYS_FOLDER), {
      plan: plan.id,
      ...(onProgress ? { onProgress } : {}),
      ...(signal ? { signal } : {}),
    })
  })
}
