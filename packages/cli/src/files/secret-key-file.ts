/** Secret keys from disk: read once, into memory that is zeroed whatever happens, with a warning where others could read it. */
import { lstat, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseContainer, UnsupportedError } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { onFile, readOrdinaryFile } from '@he-ml/ckks-core/node'
import type { Plan } from '@he-ml/pipeline'
import { maxKeyBytes } from '@he-ml/session'
import { assertPlanOfKey } from './key-ledger.ts'

/** Reads a key file: a secret key, or whatever else the caller can use. */
export const readKeyBytes = (client: ClientEngine, path: string): Promise<Uint8Array> =>
  readOrdinaryFile(path, { maxBytes: maxKeyBytes(client.parameters), what: 'a key of this plan' })

/**
 * The secret key of a file, made for this plan.
 * @throws FormatError, ParameterMismatchError; UnsupportedError for a key without an id; FileSystemError
 */
export async function readSecretKey(client: ClientEngine, path: string, plan: Plan): Promise<SecretKey> {
  const bytes = await readKeyBytes(client, path)
  await warnLooseModes(path)
  return takeSecretKey(client, bytes, path, plan)
}

/** The key in these bytes, which are zero afterwards. */
export async function takeSecretKey(
  client: ClientEngine,
  bytes: Uint8Array,
  path: string,
  plan: Plan,
): Promise<SecretKey> {
  try {
    assertPlanOfKey(path, bytes, plan)
    if (client.name === 'native') {
      const { header } = parseContainer(bytes, { kind: 'secretKey', parameters: client.parameters })
      assertNamed(header.keyId, path)
    }
    return await client.importSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** Without an id nothing tells which ciphertexts, evaluation keys and published results belong to a key. */
export function assertNamed(keyId: string | undefined, path: string): asserts keyId is string {
  if (keyId === undefined)
    throw new UnsupportedError(
      `${path}: the key names no id, so nothing tells what belongs to it: make it with he-ml keygen`,
    )
}

/** Says on stderr when others may read a secret key, or exchange it. */
export async function warnLooseModes(path: string): Promise<void> {
  // Windows has no such modes
  if (process.platform === 'win32') return
  const real = await onFile(path, realpath(path))
  const file = (await onFile(path, lstat(real))).mode
  if (file & 0o077) warn(`${path} is open to others (mode ${octal(file)}): chmod 600 ${path}`)
  const folder = dirname(real)
  const mode = (await onFile(folder, lstat(folder))).mode
  // in a sticky folder, such as /tmp, nobody else may replace it
  if (mode & 0o022 && !(mode & 0o1000))
    warn(`others can change files in ${folder} (mode ${octal(mode)}), the secret key's folder: chmod 700 ${folder}`)
}

const octal = (mode: number): string => (mode & 0o7777).toString(8)

function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`)
}
