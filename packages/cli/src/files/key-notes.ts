/** Secret keys from disk, and what is said of their files on stderr. */
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { ledgerPath } from '@he-ml/ckks-core/client/node'
import type { Plan } from '@he-ml/pipeline'
import { looseModes, readKeyBytes, takeSecretKey } from '@he-ml/session/client/node'

/** That results will stay private. */
export function noteNoLedger(file: string, options: { readonly quiet?: boolean }): void {
  if (!options.quiet)
    process.stderr.write(
      `note: ${ledgerPath(file)} is missing, so results under this key can be read but not published (begin one with "he-ml ledger --start")\n`,
    )
}

/** That others may read it, or exchange it. */
export async function warnLooseModes(path: string): Promise<void> {
  for (const text of await looseModes(path)) process.stderr.write(`warning: ${text}\n`)
}

/** The secret key of a file, made for this plan, with a warning where others could read it. @throws as `takeSecretKey` */
export async function readSecretKey(client: ClientEngine, path: string, plan: Plan): Promise<SecretKey> {
  const bytes = await readKeyBytes(client, path)
  await warnLooseModes(path)
  return takeSecretKey(client, bytes, path, plan)
}
