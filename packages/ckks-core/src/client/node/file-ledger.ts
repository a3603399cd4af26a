/**
 * The ledger beside the secret key. Every change is made under a lock file, written whole under another name (mode 0600),
 * flushed and renamed; a process that dies in between leaves the state before or after, and its values were never made.
 */
import { lstat } from 'node:fs/promises'
import { FormatError, SecurityError } from '../../errors/errors.ts'
import { writeFileAtomic } from '../../node/atomic-file.ts'
import { readOrdinaryFile } from '../../node/read-ordinary-file.ts'
import { LEDGER_ENDING } from '../../node/secret-key-file.ts'
import { systemError } from '../../node/system-error.ts'
import type { Ledger, LedgerState } from '../ledger/ledger.ts'
import { formatLedger, parseLedger } from '../ledger/ledger-format.ts'
import { type LedgerStart, startLedger } from '../ledger/start-ledger.ts'
import { withLockFile } from './lock-file.ts'

/** 16,384 requests take 1.1 MB. */
const MAX_LEDGER_BYTES = 16 * 2 ** 20

/** Where the ledger of a secret key's file is. */
export const ledgerPath = (secretKeyFile: string): string => `${secretKeyFile}${LEDGER_ENDING}`

/** A ledger in a file. */
export class FileLedger implements Ledger {
  /** Of the file. */
  readonly path: string

  /** @param path see {@link ledgerPath} */
  constructor(path: string) {
    this.path = path
  }

  /**
   * Begins a ledger where there is none.
   * @throws SecurityError when there is one, damaged or not; InvalidArgumentError
   */
  static async start(path: string, start: LedgerStart): Promise<FileLedger> {
    const ledger = new FileLedger(path)
    const state = startLedger(start)
    await withLockFile(`${path}.lock`, async () => {
      if (await ledger.exists())
        throw new SecurityError(
          `${path} exists: a ledger is never begun again; if its key is gone, or you know better what was published, move it away first: mv ${path} ${path}.old`,
        )
      await ledger.#write(state)
    })
    return ledger
  }

  /**
   * @throws SecurityError when it is missing; FormatError when it is damaged; InvalidArgumentError for a link, a pipe or a device;
   *   FileSystemError
   */
  async read(): Promise<LedgerState> {
    if (!(await this.exists()))
      throw new SecurityError(
        `${this.path} is missing: without the ledger of its key nobody knows what was published. Copy it from where the key came from; if it is lost, begin another and say how many results were published before`,
      )
    try {
      const bytes = await readOrdinaryFile(this.path, {
        maxBytes: MAX_LEDGER_BYTES,
        what: 'a ledger',
        links: 'refuse',
      })
      return parseLedger(new TextDecoder().decode(bytes))
    } catch (error) {
      if (error instanceof FormatError)
        error.message = `${error.message.startsWith(this.path) ? '' : `${this.path}: `}${error.message}. Put back a copy that is not older than the last publication; if there is none, move the file away, begin another and say how many results were published before`
      throw error
    }
  }

  async update(change: (state: LedgerState) => LedgerState): Promise<LedgerState> {
    return withLockFile(`${this.path}.lock`, async () => {
      const next = change(await this.read())
      await this.#write(next)
      return next
    })
  }

  /** Whether the file is there; a link counts, whatever it leads to. */
  async exists(): Promise<boolean> {
    return lstat(this.path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false
        throw systemError(error, this.path)
      },
    )
  }

  #write(state: LedgerState): Promise<void> {
    return writeFileAtomic(this.path, new TextEncoder().encode(formatLedger(state)), { mode: 0o600 })
  }
}
