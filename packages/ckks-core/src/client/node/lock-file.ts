/**
 * One process at a time, by a file that only one can create (O_EXCL). A lock that a killed process left is reported and never
 * broken: no file system tells whether its owner still works.
 */
import { open, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { SecurityError } from '../../errors/errors.ts'
import { systemError } from '../../node/system-error.ts'

/** How long a lock is waited for. A holder needs milliseconds. */
const PATIENCE_MS = 20_000

/**
 * Does something while holding the lock.
 * @throws SecurityError when another process holds it for too long; FileSystemError
 */
export async function withLockFile<T>(path: string, work: () => Promise<T>, patience = PATIENCE_MS): Promise<T> {
  const started = performance.now()
  while (!(await take(path))) {
    if (performance.now() - started > patience) throw await heldError(path)
    await sleep(2 + Math.random() * 20)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx', 0o600)
    await handle.writeFile(`process ${process.pid} on ${hostname()}, ${new Date().toISOString()}\n`).catch(() => {})
    await handle.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw systemError(error, path)
  }
}

async function heldError(path: string): Promise<SecurityError> {
  const holder = (await readFile(path, 'utf8').catch(() => '')).trim().slice(0, 200)
  return new SecurityError(
    `${path}: another process holds the ledger (${holder || 'it does not say which'}): wait for it; if it was killed, remove this file`,
  )
}
