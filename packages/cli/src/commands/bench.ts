/** he-ml bench: how fast this machine is, for plans whose times are to be believed. */

import { createParameters, operationSize } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { machineCostModel, measureMachine } from '@he-ml/ckks-native/client'
import { type Command, Option } from 'commander'
import { print, table } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { assertWritableFolder, type CommonOptions, withOutput, withThreads } from './common.ts'

interface BenchOptions extends CommonOptions {
  readonly out?: string
  readonly threads: number
  readonly logN: '15' | '16'
}

export function addBenchCommand(program: Command): void {
  const command = program
    .command('bench')
    .description('time the native engine for a few seconds; --out keeps the result for `he-ml plan --machine`')
    .option('-o, --out <file>', 'where the measured costs go')
    .addOption(
      new Option('--log-n <n>', 'ring to time; 16 for plans with bootstraps: 1.5 GB and ten seconds')
        .choices(['15', '16'])
        .default('15'),
    )
  withOutput(withThreads(command)).action(async (options: BenchOptions) => {
    await assertWritableFolder(options.out)
    const { signal, dispose } = interruptSignal()
    const progress = startProgress('measuring', options.quiet ?? false)
    try {
      const logN = options.logN === '16' ? 16 : 15
      const { threads } = options
      const costs = await measureMachine({ threads, logN, signal, onProgress: (f) => progress.update(f) })
      progress.stop()
      if (options.out !== undefined)
        await writeFileAtomic(options.out, new TextEncoder().encode(`${JSON.stringify(costs, null, 1)}\n`))
      const model = machineCostModel(costs)
      const size = operationSize(createParameters({ logN, levels: 11, scaleBits: 40, dnum: 3 }), 11)
      const rows = (
        [
          'rotate',
          'hoistedRotation',
          'relinearize',
          'relinearizeRescale',
          'mul',
          'mulPlain',
          'rescale',
          'add',
          'encode',
        ] as const
      ).map((kind) => [kind, Number((model.seconds(kind, size) * 1000).toFixed(3))] as const)
      print(options, { ...costs, milliseconds: Object.fromEntries(rows) }, [
        `${costs.kernel}, ${costs.threads} threads; N = 2^${logN}, ${size.limbs} + ${size.specialLimbs} limbs, ${size.digits} digits`,
        ...table(['operation', 'ms'], rows),
      ])
    } finally {
      progress.stop()
      dispose()
    }
  })
}
