/** The demo from its command line to its exit code. */
import { CancelledError } from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import { machineCostModel, measureMachine } from '@he-ml/ckks-native/client'
import { sayFailure } from '@he-ml/example-resnet20/say-failure'
import { isFaithful } from './compare.ts'
import { type DemoOptions, parseOptions } from './options.ts'
import { startBar } from './progress.ts'
import { runDemo } from './run-demo.ts'

/**
 * Runs it, says what goes wrong, and sets the exit code: 2 for a wrong command line, 130 after a signal, 1 for everything else.
 * A second signal ends the process at once; keys are gone then too.
 *
 * @param args without node and script
 */
export async function main(args: readonly string[]): Promise<void> {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort(new CancelledError(`stopped by ${name}`))
    })
  try {
    await run(parseOptions(args), controller.signal)
  } catch (error) {
    sayFailure(error)
  }
}

async function run(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { threads } = options
  const say = (line: string) => console.log(line)
  say(`kernel ${kernels().active}, ${threads} thread${threads === 1 ? '' : 's'}`)
  const costModel = machineCostModel(await measureMachine({ threads, logN: 15, signal }))
  const comparison = await runDemo(options, { say, startBar, signal, costModel })
  if (comparison && !isFaithful(comparison)) {
    console.error('the encrypted decisions differ from the clear ones on more than one input in twenty')
    process.exitCode = 1
  }
}
