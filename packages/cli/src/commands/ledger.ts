/** he-ml ledger: what a secret key remembers of publication; and, for a key that came without, the begin of a new one. */
import { InvalidArgumentError, ParameterMismatchError } from '@he-ml/ckks-core'
import type { LedgerState } from '@he-ml/ckks-core/client'
import { FileLedger } from '@he-ml/ckks-core/client/node'
import { openContainerFile } from '@he-ml/ckks-core/node'
import { contractOf } from '@he-ml/pipeline'
import { assertNamed } from '@he-ml/session'
import { ledgerOf } from '@he-ml/session/client/node'
import type { Command } from 'commander'
import { readPlan } from '../files/plan-file.ts'
import { print } from '../terminal/output.ts'
import { type CommonOptions, integer, withOutput } from './common.ts'

interface LedgerOptions extends CommonOptions {
  readonly key: string
  readonly start?: boolean
  readonly plan?: string
  readonly used?: number
}

export function addLedgerCommand(program: Command): void {
  const command = program
    .command('ledger')
    .description('show what was published under a secret key; --start begins the ledger of a key that has none')
    .requiredOption('-k, --key <file>', 'secret key; its ledger lies beside it')
    .option('--start', 'begin a ledger; needs --plan and --used')
    .option('-p, --plan <file>', 'the plan that the key was made for')
    .option('--used <n>', 'results that were published under this key before, by anyone', integer(0, 2 ** 40))
  withOutput(command).action(async (options: LedgerOptions) => {
    const keyId = await keyIdOf(options)
    const ledger = options.start ? await begin(options, keyId) : new FileLedger(await ledgerOf(options.key))
    const state = await ledger.read()
    if (state.keyId !== keyId)
      throw new ParameterMismatchError(
        `${ledger.path} is the ledger of key ${state.keyId}, ${options.key} is key ${keyId}`,
      )
    const shown = summary(state)
    print(options, { ledger: ledger.path, ...shown }, text(ledger.path, shown))
  })
}

async function begin({ key, plan: path, used }: LedgerOptions, keyId: string): Promise<FileLedger> {
  if (path === undefined || used === undefined)
    throw new InvalidArgumentError(
      '--start needs --plan, and --used with the number of results that were published under this key before, by anyone who has it',
    )
  const plan = await readPlan(path)
  await using file = await openContainerFile(key, { kind: 'secretKey', plan: plan.id })
  const contract = contractOf(plan)
  if (file.header.parameters !== contract.parameters)
    throw new ParameterMismatchError(`${key} belongs to other parameters than ${path}`)
  return FileLedger.start(await ledgerOf(key), { keyId, contract, used })
}

async function keyIdOf({ key }: LedgerOptions): Promise<string> {
  await using file = await openContainerFile(key, { kind: 'secretKey' })
  const { keyId } = file.header
  assertNamed(keyId, key)
  return keyId
}

function summary({ keyId, contract, used, terms, requests }: LedgerState) {
  return {
    keyId,
    plan: contract.plan,
    errorBound: contract.errorBound,
    ...(contract.input.range ? { range: contract.input.range } : {}),
    used,
    ...(terms ? { ...terms, left: Math.max(0, terms.queries - used) } : {}),
    requests: requests.length,
    outOfRange: requests.filter((r) => r.outOfRange).length,
  }
}

function text(path: string, s: ReturnType<typeof summary>): string[] {
  const { min, max } = s.range ?? {}
  return [
    `${path}: key ${s.keyId}, plan ${s.plan}`,
    `  errors below 2^${Math.log2(s.errorBound).toFixed(1)} for inputs ${s.range ? `from ${min} to ${max}` : 'of unknown range: nothing can be published'}`,
    s.queries === undefined
      ? `  published: ${s.used}; the first publication declares how many there will be`
      : `  published: ${s.used} of ${s.queries} results at ${s.statisticalBits} statistical bits, sigma 2^${Math.log2(s.sigma!).toFixed(1)}`,
    `  requests remembered: ${s.requests}, ${s.outOfRange} of them out of range`,
  ]
}
