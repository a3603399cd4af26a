/** Training of the spiking LeNet-5; see README.md, or --help. */
import { CancelledError } from '@he-ml/ckks-core'
import { createProgram } from './commands/program.ts'
import { describeFailure } from './failures.ts'
import { showOn } from './show.ts'

const controller = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    if (controller.signal.aborted) {
      // a bar hides the cursor
      if (process.stdout.isTTY) process.stdout.write('\x1b[?25h')
      process.exit(130)
    }
    process.stderr.write('\nstopping; once more to stop at once\n')
    controller.abort(new CancelledError(name))
  })
// a reader that has seen enough (| head) is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

try {
  const show = showOn(process.stdout, process.stderr)
  await createProgram({ show, signal: controller.signal }).parseAsync()
} catch (error) {
  const { text, exitCode } = describeFailure(error)
  if (text !== undefined) process.stderr.write(`${text}\n`)
  process.exitCode = exitCode
}
