/** he-ml keygen: the client's secret key, and the folder of evaluation keys that the server gets. */
import { access, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError, type KeyRequest, Parameters } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { writeKeyFolder } from '../files/key-folder.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { type CommonOptions, withEngine, withOutput } from './common.ts'

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
  withOutput(withEngine(command)).action(async (options: KeygenOptions) => {
    const { signal, dispose } = interruptSignal()
    const plan = await readPlan(options.plan)
    const parameters = new Parameters(plan.parameters)
    const client = await openClient(parameters, options)
    try {
      const exists = await access(options.secret).then(
        () => true,
        () => false,
      )
      if (exists && !options.reuse)
        throw new InvalidArgumentError(
          `${options.secret} exists: give another name, or --reuse to make evaluation keys for it`,
        )
      using secret = exists
        ? await client.importSecretKey(await readFile(options.secret))
        : await client.generateSecretKey()
      if (!exists) {
        const file = await client.exportSecretKey(secret, { plan: plan.id })
        await mkdir(join(options.secret, '..'), { recursive: true })
        await writeFileAtomic(options.secret, file, { mode: 0o600 })
        file.fill(0)
      }
      if (options.public !== undefined)
        await writeFileAtomic(options.public, await client.generatePublicKey(secret, { plan: plan.id }))
      const progress = startProgress('making keys', options.quiet ?? false)
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
          keyId: secret.keyId,
          keys: written.count,
          bytes: written.bytes,
        },
        `secret key: ${options.secret}\nevaluation keys: ${written.count} files, ${bytes(written.bytes)} in ${options.evaluation}`,
      )
    } finally {
      dispose()
      await client.dispose()
    }
  })
}
