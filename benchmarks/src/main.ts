/** npm run bench -- NAME [--json FILE] [options of NAME]; npm run bench -- --list */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { HeMlError, InvalidArgumentError } from '@he-ml/ckks-core'
import { exitCodeOf } from '@he-ml/cli'
import { Command, CommanderError } from 'commander'
import type { Benchmark } from './benchmark.ts'
import { bootstrap } from './bootstrapping/bootstrap.ts'
import { functionalBootstrap } from './functional/functional-bootstrap.ts'
import { keySwitch } from './key-switch.ts'
import { keyStore } from './keys/key-store.ts'
import { machineRow } from './machine.ts'
import { fitNetworks } from './networks/fit.ts'
import { lenet5 } from './networks/lenet5.ts'
import { lenet5Batch } from './networks/lenet5-batch.ts'
import { resnet20, resnet34 } from './networks/residual.ts'
import { spikingLenet5 } from './networks/spiking-lenet5.ts'
import { peersOpenfhe } from './peers-openfhe.ts'
import { peersSeal } from './peers-seal.ts'
import { planned } from './planned.ts'
import { predictions } from './predictions/predictions.ts'
import { relu } from './relu.ts'
import { terminalTable } from './render-table.ts'
import { RowWriter } from './rows.ts'
import { training } from './training/training.ts'

const benchmarks: readonly Benchmark[] = [
  keySwitch,
  keyStore,
  peersSeal,
  peersOpenfhe,
  lenet5,
  lenet5Batch,
  resnet20,
  resnet34,
  bootstrap,
  functionalBootstrap,
  spikingLenet5,
  relu,
  training,
  fitNetworks,
  predictions,
  ...planned,
]

const program = new Command('bench')
  .description('what HE-ML costs: rows of JSON on standard output, a table for people on a terminal')
  .option('--list', 'names and what they measure')
  .exitOverride()
  .action(({ list }: { list?: boolean }) => {
    if (!list) program.help()
    for (const { name, description, planned } of benchmarks)
      console.log(`${name.padEnd(22)}${description}${planned ? ' (planned, not in this version)' : ''}`)
  })
for (const benchmark of benchmarks) {
  const command = program.command(benchmark.name).description(benchmark.description).exitOverride()
  command.option('--json <file>', 'write the rows there too')
  benchmark.configure(command)
  command.action((options: { json?: string }) => measure(benchmark, options))
}

async function measure(benchmark: Benchmark, options: { json?: string }): Promise<void> {
  if (benchmark.planned) return benchmark.run(options, () => undefined)
  const file = options.json === undefined ? undefined : resolve(options.json)
  if (file !== undefined && !existsSync(resolve(file, '..')))
    throw new InvalidArgumentError(`--json: expected a file in a folder that exists, got ${options.json}`)
  const writer = new RowWriter(machineRow(process.argv.slice(2)), (line) => console.log(line), file)
  await benchmark.run(options, (row) => writer.emit(row))
  if (process.stderr.isTTY) console.error(`\n${terminalTable(writer.rows)}`)
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof HeMlError) console.error(`${error.name}: ${error.message}`)
  else if (!(error instanceof CommanderError)) console.error(error)
  process.exitCode = exitCodeOf(error)
}
