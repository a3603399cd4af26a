/** he-ml decrypt: the client reads the result. */
import { Parameters } from '@he-ml/ckks-core'
import { assertPublishable, type ClientEngine, type SecretKey } from '@he-ml/ckks-core/client'
import { FileLedger } from '@he-ml/ckks-core/client/node'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { imagesPerTensor, type SlotLayout, unpack } from '@he-ml/packing'
import { outputLayoutOf, type Plan } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { type KeyMemory, keyMemory, ledgerOf } from '../files/key-ledger.ts'
import { readPlan } from '../files/plan-file.ts'
import { readSecretKey } from '../files/secret-key-file.ts'
import { maxCiphertextsBytes } from '../files/size-limits.ts'
import { type PublicationWish, publicationOf, publicationSummary, publishedVectors } from '../publication.ts'
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
    const parameters = new Parameters(plan.parameters)
    const most = imagesPerTensor(layout)
    const images = Math.min(options.images ?? most, most)
    const client = await openClient(parameters, options)
    try {
      using secret = await readSecretKey(client, options.key, plan)
      const memory = await keyMemory(client.name, options.key, secret, plan)
      const limit = { count: layout.ciphertexts, level: parameters.maxLevel, degree: 2 } as const
      const maxBytes = maxCiphertextsBytes(parameters, limit)
      const file = await readOrdinaryFile(options.input, { maxBytes, what: 'an encrypted result' })
      const published =
        options.publishQueries === undefined
          ? undefined
          : await publish({ client, secret, file, plan, layout }, options, memory.ledger, {
              ...options,
              queries: options.publishQueries,
              images,
            })
      const vectors = published?.vectors ?? (await privateVectors(client, secret, file, memory, options))
      const outputs = unpack(vectors, layout, images).map(({ data }) => ({ argmax: argmax(data), values: [...data] }))
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

interface Result {
  readonly client: ClientEngine
  readonly secret: SecretKey
  readonly file: Uint8Array
  readonly plan: Plan
  readonly layout: SlotLayout
}

async function publish(
  { client, secret, file, plan, layout }: Result,
  { key }: DecryptOptions,
  ledger: FileLedger | undefined,
  wish: PublicationWish,
) {
  assertPublishable(client)
  // a missing one says so when it is read
  const options = await publicationOf(plan, layout, ledger ?? new FileLedger(await ledgerOf(key)), wish)
  const results = await client.decryptForPublication(secret, file, options)
  return { vectors: publishedVectors(results, options, layout), summary: publicationSummary(results) }
}

async function privateVectors(
  client: ClientEngine,
  secret: SecretKey,
  file: Uint8Array,
  { ledger, contract }: KeyMemory,
  { quiet }: DecryptOptions,
): Promise<Float64Array[]> {
  const results = await client.decrypt(secret, file, { contract })
  const request = client.readFacts(file).names?.request
  const known = ledger && (await ledger.read()).requests.some((r) => r.id === request)
  if (ledger && !known && !quiet)
    process.stderr.write(
      'note: the result answers a request that was not encrypted with this secret key and its ledger: it can be read, not published\n',
    )
  return results.map((r) => r.re)
}

function argmax(values: Float64Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}
