/**
 * Ledgers of this process, for keys that die with it: by key id, so that importing a key again finds the same one. Whoever exports
 * the key and goes on in another process needs a `FileLedger` instead, or must say there what was published here.
 */
import { SecurityError } from '../../errors/errors.ts'
import type { Ledger, LedgerState } from './ledger.ts'
import { type LedgerStart, startLedger } from './start-ledger.ts'

const states = new Map<string, LedgerState>()

/**
 * Begins the ledger of a key in this process.
 * @throws SecurityError when the key has one here already; InvalidArgumentError
 */
export function startMemoryLedger(start: LedgerStart): Ledger {
  const state = startLedger(start)
  if (states.has(start.keyId))
    throw new SecurityError(`ledger: key ${start.keyId} has one in this process already: take it by memoryLedger`)
  states.set(start.keyId, state)
  return memoryLedger(start.keyId)
}

/**
 * The ledger of a key that began in this process.
 * @throws SecurityError when there is none
 */
export function memoryLedger(keyId: string): Ledger {
  const read = (): LedgerState => {
    const state = states.get(keyId)
    if (!state) throw new SecurityError(`ledger: key ${keyId} has none in this process: begin it by startMemoryLedger`)
    return state
  }
  read()
  return {
    read: async () => read(),
    update: async (change) => {
      // nothing awaits between reading and writing
      const next = change(read())
      states.set(keyId, next)
      return next
    },
  }
}
