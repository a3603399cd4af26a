/** he-ml keygen: the client's secret key, and the folder of evaluation keys that the server gets. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { KeyRequest } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { onFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parametersOf } from '@he-ml/pipeline'
import { keyMemory, writeSecretKey } from '@he-ml/session/client/node'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { noteNoLedger, readSecretKey } from '../files/key-notes.ts'
import { judgePlaces, secretBeside } from '../files/keygen-places.ts'
import type { Place } from '../files/output-place.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { type CommonOptions, withEngine, withOutput, withThreads } from './common.ts'

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
    const places = await judgePlaces(options)
    const plan = await readPlan(options.plan)
    const beside = await secretBeside(places)
    if (beside !== undefined) process.stderr.write(`warning: ${beside}\n`)
    const parameters = parametersOf(plan)
    const client = await openClient(parameters, options)
    const { signal, dispose } = interruptSignal()
    const progress = startProgress('making keys', options.quiet ?? false)
    try {
      using secret = await secretKey(client, places.secret, plan, options)
      const written = await writeKeyFolder(client, secret, plan.keyRequest as KeyRequest, places.evaluation.real, {
        plan: plan.id,
        signal,
        onProgress: (done, total) => progress.update(done / total, `${done} of ${total}`),
        // the secret key before whatever was made with it
        beforeWriting: async () => {
          if (!places.secret.found) await writeSecretKey(client, secret, places.secret.real, plan)
          if (places.publicKey) await writePublicKey(client, secret, places.publicKey, plan.id)
        },
      })
      progress.stop()
      print(
        options,
        {
          secret: options.secret,
          evaluation: options.evaluation,
          ...(options.public === undefined ? {} : { public: options.public }),
          keyId: secret.keyId,
          keys: written.keys,
          bytes: written.bytes,
        },
        `secret key: ${options.secret}\nevaluation keys: ${written.keys} files, ${bytes(written.bytes)} in ${options.evaluation}`,
      )
    } finally {
      progress.stop()
      dispose()
      await client.dispose()
    }
  })
}

/** The key that is there, or a new one, in memory alone. */
async function secretKey(
  client: ClientEngine,
  { found, given }: Place,
  plan: Plan,
  options: KeygenOptions,
): Promise<SecretKey> {
  if (!found) return client.generateSecretKey()
  const secret = await readSecretKey(client, given, plan)
  const { ledger } = await keyMemory(client.name, given, secret, plan)
  if (!ledger && client.name !== 'seal') noteNoLedger(given, options)
  return secret
}

async function writePublicKey(
  client: ClientEngine,
  key: SecretKey,
  { given, real }: Place,
  plan: string,
): Promise<void> {
  const file = await client.generatePublicKey(key, { plan })
  await onFile(given, mkdir(dirname(real), { recursive: true }))
  await writeFileAtomic(real, file, { overwrite: false })
}
