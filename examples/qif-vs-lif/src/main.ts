/** node scripts/run.mjs examples/qif-vs-lif/src/main.ts run|report */
import { exitCodeOf } from './exit-codes.ts'
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  const exitCode = exitCodeOf(error)
  const { name, message, stack, code } = error as Error & { code?: string }
  // commander has said it already
  if (!code?.startsWith('commander.')) process.stderr.write(`${exitCode === 1 ? stack : `${name}: ${message}`}\n`)
  process.exitCode = exitCode
}
