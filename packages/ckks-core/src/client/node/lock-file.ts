/**
 * One process at a time, by a file that only one can create, with its owner in it. A lock whose owner surely works no more is taken over: a
 * process of this boot of this machine, in this space of process numbers, that is gone or whose number has another start. Any other is reported
 * and left alone: no file system tells whether its owner still works.
 */
import { randomBytes } from 'node:crypto'
import { readFile, readlink, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FileSystemError, InvalidArgumentError, SecurityError } from '../../errors/errors.ts'
import { writeFileAtomic } from '../../node/atomic-file.ts'

/** How long the lock of a ledger is waited for. A holder needs milliseconds. */
const PATIENCE_MS = 20_000

/** How a lock is taken. */
export interface LockOptions {
  /** Milliseconds to wait for another's; default 20,000. */
  readonly patience?: number
  /** What is locked, in messages; default 'the ledger'. */
  readonly what?: string
  /** Makes the error for a lock that another holds; default a SecurityError. */
  readonly heldError?: (message: string) => Error
}

/**
 * Does something while holding the lock.
 * @throws SecurityError, or `heldError`, when another holds it for too long; FileSystemError
 */
export async function withLockFile<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { patience = PATIENCE_MS } = options
  const started = performance.now()
  while (!(await take(path))) {
    if (await takeOver(path)) continue
    if (performance.now() - started >= patience) throw await heldError(path, options)
    await sleep(2 + Math.random() * 20)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** Of a folder. */
const FOLDER_LOCK = '.he-ml.lock'

/**
 * Does something to a folder that nobody else does anything to meanwhile; it is there already. Waits for nobody.
 * @throws InvalidArgumentError when another process is at it; FileSystemError
 */
export const lockFolder = <T>(folder: string, work: () => Promise<T>): Promise<T> =>
  withLockFile(join(folder, FOLDER_LOCK), work, {
    patience: 0,
    what: 'the folder',
    heldError: (message) => new InvalidArgumentError(message),
  })

/** Creates the file whole, so that a lock always says whose it is. */
async function take(path: string): Promise<boolean> {
  const owner = `process ${process.pid} on ${hostname()}, ${new Date().toISOString()}`
  const lines = [owner, ...(await ownLines()), `lock ${randomBytes(8).toString('hex')}`]
  try {
    const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`)
    await writeFileAtomic(path, bytes, { mode: 0o600, overwrite: false, durable: false })
    return true
  } catch (error) {
    if (error instanceof FileSystemError && error.systemCode === 'EEXIST') return false
    throw error
  }
}

/** What tells this process from all others, where the system says it. */
async function ownLines(): Promise<string[]> {
  const [machine, start] = await Promise.all([machineOf(), startOf(process.pid)])
  return machine === undefined || start === undefined ? [] : [`machine ${machine}`, `start ${start}`]
}

/**
 * Removes the lock of a process that is gone. Whoever does it holds a lock for that very lock, and looks once more: of several at a time one
 * removes it, and never the lock that another has taken since.
 * @returns whether it may be gone
 */
async function takeOver(path: string): Promise<boolean> {
  const lock = await stale(path)
  if (lock === undefined) return false
  const claim = `${path}.${lock}`
  const release = await claimed(claim)
  if (!release) return false
  try {
    if ((await stale(path)) === lock) await rm(path, { force: true })
    return true
  } finally {
    await rm(claim, { force: true })
  }
}

/** A claim whose owner was killed in these few lines is taken over in its turn, by the same rule. */
const claimed = async (claim: string): Promise<boolean> =>
  (await take(claim)) || ((await takeOver(claim)) && take(claim))

/** The name of a lock whose owner is gone. */
async function stale(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const { pid, machine, start, lock } =
    /^process (?<pid>\d+) on .*\nmachine (?<machine>.+)\nstart (?<start>\d+)\nlock (?<lock>[0-9a-f]{16})\n$/.exec(text)
      ?.groups ?? {}
  if (pid === undefined || machine !== (await machineOf())) return undefined
  return (await works(Number(pid), start!)) ? undefined : lock
}

/** This boot of this machine, and its space of process numbers; undefined where the system does not tell. */
async function machineOf(): Promise<string | undefined> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    return `${boot} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

/** Whether a process is at work that began then. */
async function works(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const began = await startOf(pid)
  // what cannot be looked at may be at work
  return began === undefined || began === start
}

/** When a process began, in ticks since the boot, or that it is a corpse; undefined where it cannot be looked at. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    // behind the name, which may hold anything
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1)!.split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'corpse' : fields[19]
  } catch {
    return undefined
  }
}

async function heldError(path: string, options: LockOptions): Promise<Error> {
  const { what = 'the ledger', heldError: make = (message) => new SecurityError(message) } = options
  const [holder = ''] = (await readFile(path, 'utf8').catch(() => '')).trim().slice(0, 200).split('\n')
  return make(
    `${path}: another process holds ${what} (${holder || 'it does not say which'}): wait for it; if you know that it works no more (killed on another machine, or before this one was started again), remove this file: rm ${path}`,
  )
}
