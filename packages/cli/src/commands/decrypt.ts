/** he-ml decrypt: the client reads the result. */
import { assertPublishable } from '@he-ml/ckks-core/client'
import { FileLedger } from '@he-ml/ckks-core/client/node'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import type { Tensor } from '@he-ml/model'
import { imagesPerTensor } from '@he-ml/packing'
import { outputLayoutOf, parametersOf } from '@he-ml/pipeline'
import { maxCiphertextsBytes } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'
import { keyMemory, ledgerOf } from '@he-ml/session/client/node'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { aboutFiles } from '../files/about-file.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { readSecretKey } from '../files/key-notes.ts'
import { readPlan } from '../files/plan-file.ts'
import { print } from '../terminal/output.ts'
import { type CommonOptions, decimal, integer, withEngine, withOutput, withThreads } from './common.ts'

interface DecryptOptions extends CommonOptions {
  readonly plan: string
  readonly key: string
  readonly input: string
  readonly images?: number
  readonly out?: string
  readonly publishQueries?: number
  readonly statisticalBits: number
  readonly precisionBits: number
  readonly engine: EngineChoice
  readonly threads: number
}

export function addDecryptCommand(program: Command): void {
  const command = program
    .command('decrypt')
    .description('decrypt a result; private unless --publish-queries is given')
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-k, --key <file>', 'secret key')
    .requiredOption('-i, --input <file>', 'encrypted result')
    .option('--images <count>', 'images that the batch holds; default all', integer(1, 65536))
    .option('-o, --out <file>', 'also write the values here (JSON, mode 0600)')
    .option(
      '--publish-queries <n>',
      'add the noise that makes results safe to show to others, for n results under this key',
      integer(1, 2 ** 30),
    )
    .option('--statistical-bits <n>', 'statistical security of published results', decimal(10, 80), 40)
    .option('--precision-bits <n>', 'refuse to publish with fewer bits than this', decimal(-64, 64), 4)
  withOutput(withThreads(withEngine(command))).action(async (options: DecryptOptions) => {
    await assertOutputApart(options.out, { files: [options.plan, options.key, options.input] })
    const plan = await readPlan(options.plan)
    const layout = outputLayoutOf(plan)
    const parameters = parametersOf(plan)
    const most = imagesPerTensor(layout)
    const images = Math.min(options.images ?? most, most)
    const client = await openClient(parameters, options)
    try {
      using secret = await readSecretKey(client, options.key, plan)
      const { ledger, contract } = await keyMemory(client.name, options.key, secret, plan)
      const session = new ClientSession({ plan, engine: client, key: secret, contract, ...(ledger ? { ledger } : {}) })
      const limit = { count: layout.ciphertexts, level: parameters.maxLevel, degree: 2 } as const
      const maxBytes = maxCiphertextsBytes(parameters, limit)
      const file = await readOrdinaryFile(options.input, { maxBytes, what: 'an encrypted result' })
      const { published, tensors } = await aboutFiles(
        { [options.input]: 'the result', [options.key]: 'the secret key', [options.plan]: 'the plan' },
        async () => {
          const published =
            options.publishQueries === undefined ? undefined : await publish(session, file, images, options)
          return { published, tensors: published?.tensors ?? (await readPrivately(session, file, images, options)) }
        },
      )
      const outputs = tensors.map(({ data }) => ({ argmax: argmax(data), values: [...data] }))
      const document = {
        visibility: published ? 'published' : 'private',
        plan: plan.id,
        shape: plan.model.output,
        ...(published ? { published: published.summary } : {}),
        outputs,
      }
      if (options.out !== undefined)
        await writeFileAtomic(options.out, new TextEncoder().encode(`${JSON.stringify(document)}\n`), { mode: 0o600 })
      print(
        options,
        document,
        outputs.map(
          ({ argmax: best, values }, i) => `${i}: class ${best}  [${values.map((v) => v.toFixed(3)).join(', ')}]`,
        ),
      )
    } finally {
      await client.dispose()
    }
  })
}

async function publish(session: ClientSession, file: Uint8Array, images: number, options: DecryptOptions) {
  assertPublishable(session.engine)
  const { statisticalBits, precisionBits, publishQueries: queries = 0 } = options
  // a missing ledger says so when it is read
  const ledger = session.ledger ?? new FileLedger(await ledgerOf(options.key))
  return session.publish(file, { queries, images, statisticalBits, precisionBits }, ledger)
}

async function readPrivately(
  session: ClientSession,
  file: Uint8Array,
  images: number,
  { quiet }: DecryptOptions,
): Promise<Tensor[]> {
  const tensors = await session.decrypt(file, images)
  const request = session.engine.readFacts(file).names?.request
  const known = (await session.ledger?.read())?.requests.some((r) => r.id === request) ?? true
  if (!known && !quiet)
    process.stderr.write(
      'note: the result answers a request that was not encrypted with this secret key and its ledger: it can be read, not published\n',
    )
  return tensors
}

function argmax(values: Float64Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}
