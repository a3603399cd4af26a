/** An encrypted ResNet-20 on many photographs at once. Real keys, 128-bit security; the server's half never sees the secret key. */
import { CancelledError } from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import { parseOptions } from './options.ts'
import { startBar } from './progress.ts'
import { runDemo } from './run-demo.ts'

const controller = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => controller.abort(new CancelledError(`stopped by ${name}`)))

try {
  const options = parseOptions(process.argv.slice(2))
  const say = (line: string) => console.log(line)
  say(`kernel ${kernels().active}, ${options.threads} thread${options.threads === 1 ? '' : 's'}`)
  const comparison = await runDemo(options, { say, startBar, signal: controller.signal })
  // the polynomials' own errors are no failure
  if (comparison && comparison.toPolynomial.same < 0.95 * (comparison.images - comparison.strays)) {
    console.error('the encrypted decisions differ from the clear ones on more than one image in twenty')
    process.exitCode = 1
  }
} catch (error) {
  const { code, message, stack } = error as Error & { code?: unknown }
  const isCommander = typeof code === 'string' && code.startsWith('commander.')
  // commander has said it; other errors with a code say all that there is to say
  if (!isCommander) console.error(typeof code === 'string' ? message : stack)
  if (code === 'Cancelled') process.exitCode = 130
  else if (code !== 'commander.helpDisplayed') process.exitCode = isCommander || code === 'InvalidArgument' ? 2 : 1
}
