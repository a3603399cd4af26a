/**
 * The ledger of a secret key's file: begun with the key, asked before anything is encrypted or decrypted.
 * Files of the seal engine name no key, and nothing of theirs is published: they have no ledger.
 */
import { lstat, realpath, rm } from 'node:fs/promises'
import { FormatError, ParameterMismatchError, type PlanContract, parseContainer } from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { FileLedger, ledgerPath } from '@he-ml/ckks-core/client/node'
import { onFile } from '@he-ml/ckks-core/node'
import { contractOf, type Plan } from '@he-ml/pipeline'

/**
 * Begins the ledger of a fresh key; before the key is written, so that no key is ever without one.
 * @returns what takes it away again where the key then cannot be written
 */
export async function beginKeyLedger(
  engine: string,
  file: string,
  key: SecretKey,
  plan: Plan,
): Promise<() => Promise<void>> {
  if (engine === 'seal') return async () => {}
  const path = ledgerPath(file)
  await FileLedger.start(path, { keyId: key.keyId, contract: contractOf(plan), used: 0 })
  return () => rm(path, { force: true })
}

/** The ledger beside a key's file. It goes with the file, not with a symbolic link to it: a second name is no second budget. */
export async function ledgerOf(file: string): Promise<string> {
  const link = (await onFile(file, lstat(file))).isSymbolicLink()
  return ledgerPath(link ? await onFile(file, realpath(file)) : file)
}

/** What whoever reads a secret key from a file may go by. */
export interface KeyMemory {
  /** Undefined when the key has none here: then its results stay private. */
  readonly ledger: FileLedger | undefined
  /** The ledger's, made at key generation; without one, the given plan's. */
  readonly contract: PlanContract
}

/**
 * The ledger of a key, checked against the key and the plan.
 * @throws ParameterMismatchError for another plan or key; FormatError for a damaged ledger
 */
export async function keyMemory(engine: string, file: string, key: SecretKey, plan: Plan): Promise<KeyMemory> {
  const ledger = new FileLedger(await ledgerOf(file))
  if (engine === 'seal' || !(await ledger.exists())) return { ledger: undefined, contract: contractOf(plan) }
  const { keyId, contract } = await ledger.read()
  if (keyId !== key.keyId)
    throw new ParameterMismatchError(
      `${ledger.path} is the ledger of key ${keyId}, ${file} is key ${key.keyId}: put each beside its own`,
    )
  if (contract.plan !== plan.id) throw otherPlan(file, contract.plan, plan.id)
  return { ledger, contract }
}

/** @throws ParameterMismatchError when a key's file names another plan; files of SEAL, and keys made without a plan, name none */
export function assertPlanOfKey(file: string, bytes: Uint8Array, plan: Plan): void {
  let named: string | undefined
  try {
    named = parseContainer(bytes).header.plan
  } catch (error) {
    // not a container of ours: whoever imports it says what is wrong
    if (error instanceof FormatError) return
    throw error
  }
  if (named !== undefined && named !== plan.id) throw otherPlan(file, named, plan.id)
}

const otherPlan = (file: string, wanted: string, got: string): ParameterMismatchError =>
  new ParameterMismatchError(
    `${file} was made for plan ${wanted}, got plan ${got}: one key serves one plan; take its own plan, or make a new key with keygen`,
  )
