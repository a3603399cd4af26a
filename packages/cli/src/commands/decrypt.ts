/** he-ml decrypt: the client reads the result. */
import { readFile } from 'node:fs/promises'
import { Parameters } from '@he-ml/ckks-core'
import { errorBound } from '@he-ml/ckks-core/client'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { unpack } from '@he-ml/packing'
import { outputLayoutOf } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { type EngineChoice, openClient } from '../engines.ts'
import { readPlan } from '../files/plan-file.ts'
import { print } from '../terminal/output.ts'
import { type CommonOptions, decimal, integer, withEngine, withOutput } from './common.ts'

interface DecryptOptions extends CommonOptions {
  readonly plan: string
  readonly key: string
  readonly input: string
  readonly images?: number
  readonly out?: string
  readonly publishQueries?: number
  readonly statisticalBits: number
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
    .option('--statistical-bits <n>', 'statistical security of published results', decimal(10, 128), 40)
  withOutput(withEngine(command)).action(async (options: DecryptOptions) => {
    const plan = await readPlan(options.plan)
    const client = await openClient(new Parameters(plan.parameters), options)
    try {
      using secret = await client.importSecretKey(await readFile(options.key))
      const file = await readFile(options.input)
      const layout = outputLayoutOf(plan)
      const results =
        options.publishQueries === undefined
          ? await client.decrypt(secret, file)
          : await client.decryptForPublication(secret, file, {
              queries: options.publishQueries,
              errorBound: errorBound(2 ** -plan.report.precisionBits),
              count: layout.slots,
              statisticalBits: options.statisticalBits,
            })
      const tensors = unpack(
        results.map((r) => r.re),
        layout,
      )
      const images = Math.min(options.images ?? tensors.length, tensors.length)
      const outputs = tensors.slice(0, images).map(({ data }) => ({ argmax: argmax(data), values: [...data] }))
      const document = { visibility: results[0]!.visibility, shape: plan.model.output, outputs }
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

function argmax(values: Float64Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}
