/** Secret keys in folders that go away: by their names, by how their files begin, and by their ledgers. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FileSystemError } from '@he-ml/ckks-core'
import { isSecretKeyFile, LEDGER_ENDING, onFile } from '@he-ml/ckks-core/node'

/** Of a client's folder. */
export const KEY_FILE = 'secret.key'

export const isSecretName = (path: string): boolean => basename(path) === KEY_FILE || path.endsWith(LEDGER_ENDING)

/** The first secret key or ledger in a folder, at any depth and behind links, by its path from there. @throws FileSystemError */
export async function secretIn(folder: string, seen = new Set<string>()): Promise<string | undefined> {
  const real = await realpath(folder).catch(() => undefined)
  if (real === undefined || seen.has(real)) return undefined
  seen.add(real)
  const names = await onFile(folder, readdir(real))
  const own = names.find(isSecretName)
  if (own !== undefined) return own
  for (const name of names) {
    const path = await realpath(join(real, name)).catch(() => undefined)
    if (path === undefined) continue
    if (isSecretName(path)) return name
    const found = await onFile(path, stat(path))
    if (found.isFile() && (await isReadableSecret(path))) return name
    if (!found.isDirectory()) continue
    const deeper = await secretIn(path, seen)
    if (deeper !== undefined) return join(name, deeper)
  }
  return undefined
}

/** Of what we may not read, or what went away meanwhile, nothing is known. */
async function isReadableSecret(path: string): Promise<boolean> {
  try {
    return await isSecretKeyFile(path)
  } catch (error) {
    if (error instanceof FileSystemError && ['EACCES', 'EPERM', 'ENOENT'].includes(error.systemCode)) return false
    throw error
  }
}
