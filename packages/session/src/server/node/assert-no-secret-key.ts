import { InvalidArgumentError } from '@he-ml/ckks-core'
import { secretIn } from '../../files/secret-in.ts'

/**
 * No server may hold a secret key: looks for one in a folder that it reads, at any depth, by the files' beginnings, whatever they are called.
 *
 * @throws InvalidArgumentError that names it; FileSystemError
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { assertNoSecretKey } from '@he-ml/session/node'
 *
 * const keys = await mkdtemp(join(tmpdir(), 'evaluation-'))
 * await assertNoSecretKey(keys)
 * await rm(keys, { recursive: true })
 * ```
 */
export async function assertNoSecretKey(folder: string): Promise<void> {
  const secret = await secretIn(folder)
  if (secret === undefined) return
  throw new InvalidArgumentError(
    `${folder} holds a secret key (${secret}): no server may have it; move it to the client's own folder, or where the server is not the client's machine, count it as lost and make new keys`,
  )
}
