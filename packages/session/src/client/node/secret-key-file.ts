/** Secret keys on disk: read once, into memory that is zeroed whatever happens, and told when others could read them. */
import { lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseContainer } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { onFile, readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import type { Plan } from '@he-ml/pipeline'
import { assertNamed } from '../../assert-named.ts'
import { named } from '../../named.ts'
import { maxKeyBytes } from '../../size-limits.ts'
import { assertPlanOfKey, beginKeyLedger } from './key-ledger.ts'

/** Reads a key file: a secret key, or whatever else the caller can use. */
export const readKeyBytes = (client: ClientEngine, path: string): Promise<Uint8Array> =>
  readOrdinaryFile(path, { maxBytes: maxKeyBytes(client.parameters), what: 'a key of this plan' })

/**
 * The secret key of a file, made for this plan.
 * @throws FormatError, ParameterMismatchError; UnsupportedError for a key without an id; FileSystemError
 */
export async function readSecretKey(client: ClientEngine, path: string, plan: Plan): Promise<SecretKey> {
  const bytes = await readKeyBytes(client, path)
  return takeSecretKey(client, bytes, path, plan)
}

/** The key in these bytes, which are zero afterwards. @throws as {@link readSecretKey}, naming the path */
export async function takeSecretKey(
  client: ClientEngine,
  bytes: Uint8Array,
  path: string,
  plan: Plan,
): Promise<SecretKey> {
  try {
    return await named(path, takeKey(client, bytes, path, plan))
  } finally {
    bytes.fill(0)
  }
}

async function takeKey(client: ClientEngine, bytes: Uint8Array, path: string, plan: Plan): Promise<SecretKey> {
  assertPlanOfKey(path, bytes, plan)
  if (client.name === 'native') {
    const { header } = parseContainer(bytes, { kind: 'secretKey', parameters: client.parameters })
    assertNamed(header.keyId, path)
  }
  return await client.importSecretKey(bytes)
}

/** What lets others read a secret key, or exchange it, and the command that ends it; empty where nothing does. */
export async function looseModes(path: string): Promise<string[]> {
  // Windows has no such modes
  if (process.platform === 'win32') return []
  const real = await onFile(path, realpath(path))
  const file = (await onFile(path, lstat(real))).mode
  const folder = dirname(real)
  const mode = (await onFile(folder, lstat(folder))).mode
  return [
    ...(file & 0o077 ? [`${path} is open to others (mode ${octal(file)}): chmod 600 ${path}`] : []),
    // in a sticky folder, such as /tmp, nobody else may replace it
    ...(mode & 0o022 && !(mode & 0o1000)
      ? [`others can change files in ${folder} (mode ${octal(mode)}), the secret key's folder: chmod 700 ${folder}`]
      : []),
  ]
}

/**
 * Writes a fresh secret key (mode 0600, its folder 0700 where it has to be made), and before it its ledger, so that no key is ever without one.
 * What fails leaves neither.
 * @throws FileSystemError where there is such a file; SecurityError where there is a ledger
 */
export async function writeSecretKey(client: ClientEngine, key: SecretKey, path: string, plan: Plan): Promise<void> {
  const file = await client.exportSecretKey(key, { plan: plan.id })
  try {
    await onFile(path, mkdir(dirname(path), { recursive: true, mode: 0o700 }))
    const dropLedger = await beginKeyLedger(client.name, path, key, plan)
    try {
      await writeFileAtomic(path, file, { mode: 0o600, overwrite: false })
    } catch (error) {
      await dropLedger().catch(() => {})
      throw error
    }
  } finally {
    file.fill(0)
  }
}

const octal = (mode: number): string => (mode & 0o7777).toString(8)
