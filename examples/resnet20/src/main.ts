/** A residual network's demo from its command line to its exit code. */
import { CancelledError } from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import type { Model } from '@he-ml/model'
import { type Demo, parseOptions, RESNET20 } from './options.ts'
import { startBar } from './progress.ts'
import { runDemo } from './run-demo.ts'
import { sayFailure } from './say-failure.ts'

/**
 * Runs it, says what goes wrong, and sets the exit code: 2 for a wrong command line, 130 after a signal, 1 for everything else.
 *
 * @param args without node and script
 * @param compose makes the network where the command line names no file
 */
export async function main(args: readonly string[], demo: Demo = RESNET20, compose?: () => Model): Promise<void> {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new CancelledError(`stopped by ${name}`)))
  try {
    const options = parseOptions(args, demo)
    const say = (line: string) => console.log(line)
    say(`kernel ${kernels().active}, ${options.threads} thread${options.threads === 1 ? '' : 's'}`)
    const surroundings = { say, startBar, signal: controller.signal, ...(compose ? { compose } : {}) }
    const comparison = await runDemo(options, surroundings)
    // the polynomials' own errors are no failure
    if (comparison && comparison.toPolynomial.same < 0.95 * (comparison.images - comparison.strays)) {
      console.error('the encrypted decisions differ from the clear ones on more than one image in twenty')
      process.exitCode = 1
    }
  } catch (error) {
    sayFailure(error)
  }
}
