/** he-ml keygen: the client's secret key, and the folder of evaluation keys that the server gets. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { InvalidArgumentError, type KeyRequest, Parameters } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import type { Plan } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { writeKeyFolder } from '../files/key-folder.ts'
import { assertPlanOfKey, beginKeyLedger, keyMemory, noteNoLedger } from '../files/key-ledger.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { assertWritableFolder, type CommonOptions, withEngine, withOutput, withThreads } from './common.ts'

interface KeygenOptions extends CommonOptions {
  readonly plan: string
  readonly secret: string
  readonly public?: string
  readonly evaluation: string
  readonly reuse?: boolean
  readonly engine: EngineChoice
  readonly threads: number
}

export function addKeygenCommand(program: Command): void {
  const command = program
    .command('keygen')
    .description("make the plan's keys: a secret key that stays here, and evaluation keys for the server")
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-s, --secret <file>', 'where the secret key goes (mode 0600); never give it to the server')
    .requiredOption('-e, --evaluation <folder>', 'where the evaluation keys go; the server needs this folder')
    .option('--public <file>', 'also write a public key, for parties that only encrypt')
    .option('--reuse', 'use the secret key that is already in --secret instead of refusing to overwrite it')
  withOutput(withThreads(withEngine(command))).action(async (options: KeygenOptions) => {
    assertApart(options)
    const plan = await readPlan(options.plan)
    const parameters = new Parameters(plan.parameters)
    await assertWritableFolder(options.public)
    const client = await openClient(parameters, options)
    const { signal, dispose } = interruptSignal()
    const progress = startProgress('making keys', options.quiet ?? false)
    try {
      using secret = await secretKey(client, options, plan)
      if (options.public !== undefined)
        await writeFileAtomic(options.public, await client.generatePublicKey(secret, { plan: plan.id }))
      const keys = client.generateEvaluationKeys(secret, plan.keyRequest as KeyRequest, {
        plan: plan.id,
        signal,
        onProgress: (done, total) => progress.update(done / total, `${done} of ${total}`),
      })
      const written = await writeKeyFolder(options.evaluation, parameters, { plan: plan.id, keyId: secret.keyId }, keys)
      progress.stop()
      print(
        options,
        {
          secret: options.secret,
          evaluation: options.evaluation,
          ...(options.public === undefined ? {} : { public: options.public }),
          keyId: secret.keyId,
          keys: written.count,
          bytes: written.bytes,
        },
        `secret key: ${options.secret}\nevaluation keys: ${written.count} files, ${bytes(written.bytes)} in ${options.evaluation}`,
      )
    } finally {
      progress.stop()
      dispose()
      await client.dispose()
    }
  })
}

/** The key that is there, with --reuse, or a new one, on the disk before anything is made with it. */
async function secretKey(client: ClientEngine, options: KeygenOptions, plan: Plan): Promise<SecretKey> {
  const found = await readFile(options.secret).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found !== undefined) {
    if (!options.reuse)
      throw new InvalidArgumentError(
        `${options.secret} exists: give another name, or --reuse to make evaluation keys for it`,
      )
    assertPlanOfKey(options.secret, found, plan)
    const secret = await client.importSecretKey(found)
    found.fill(0)
    const { ledger } = await keyMemory(client.name, options.secret, secret, plan)
    if (!ledger && client.name !== 'seal') noteNoLedger(options.secret, options)
    return secret
  }
  const secret = await client.generateSecretKey()
  const file = await client.exportSecretKey(secret, { plan: plan.id })
  await mkdir(dirname(resolve(options.secret)), { recursive: true })
  await beginKeyLedger(client.name, options.secret, secret, plan)
  await writeFileAtomic(options.secret, file, { mode: 0o600 })
  file.fill(0)
  return secret
}

/** The evaluation folder goes to the server, so the secret key must not lie in it. */
function assertApart({ secret, evaluation }: KeygenOptions): void {
  const path = relative(resolve(evaluation), resolve(secret))
  if (path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path))
    throw new InvalidArgumentError(
      `${secret} lies in ${evaluation}, the folder that the server gets: keep the secret key elsewhere`,
    )
}
