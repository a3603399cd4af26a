/** he-ml decrypt: the client reads the result. */
import { Parameters, parseContainer } from '@he-ml/ckks-core'
import type { ClientEngine, SecretKey } from '@he-ml/ckks-core/client'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { imagesPerTensor, unpack } from '@he-ml/packing'
import { outputLayoutOf } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { readPlan } from '../files/plan-file.ts'
import { readSecretKey } from '../files/secret-key-file.ts'
import { maxCiphertextsBytes } from '../files/size-limits.ts'
import { publicationOf } from '../publication.ts'
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
    const plan = await readPlan(options.plan)
    const layout = outputLayoutOf(plan)
    const parameters = new Parameters(plan.parameters)
    const most = imagesPerTensor(layout)
    const images = Math.min(options.images ?? most, most)
    const publication =
      options.publishQueries === undefined
        ? undefined
        : publicationOf(plan, layout, { ...options, queries: options.publishQueries, images })
    const client = await openClient(parameters, options)
    try {
      using secret = await readSecretKey(client, options.key)
      const limit = { count: layout.ciphertexts, level: parameters.maxLevel, degree: 2 } as const
      const maxBytes = maxCiphertextsBytes(parameters, limit)
      const file = await readOrdinaryFile(options.input, { maxBytes, what: 'an encrypted result' })
      // files of the seal engine name no plan
      if (client.name === 'native') parseContainer(file, { kind: 'ciphertext', parameters, plan: plan.id })
      const vectors = publication
        ? publication.vectors(await client.decryptForPublication(secret, file, publication.options))
        : await privateVectors(client, secret, file)
      const outputs = unpack(vectors, layout, images).map(({ data }) => ({ argmax: argmax(data), values: [...data] }))
      const document = {
        visibility: publication ? 'published' : 'private',
        plan: plan.id,
        shape: plan.model.output,
        ...(publication ? { published: publication.summary } : {}),
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

async function privateVectors(client: ClientEngine, secret: SecretKey, file: Uint8Array): Promise<Float64Array[]> {
  return (await client.decrypt(secret, file)).map((r) => r.re)
}

function argmax(values: Float64Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}
