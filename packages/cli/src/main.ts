#!/usr/bin/env node
import { systemError } from '@he-ml/ckks-core/node'
import { doneBefore } from './commands/done-before.ts'
import { exitCodeOf } from './exit-codes.ts'
import { createProgram } from './program.ts'
import { errorDocument } from './terminal/error-document.ts'

// a reader that has seen enough (he-ml inspect FILE | head) is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  const { name, message } = systemError(error, 'stdout') as Error
  process.stderr.write(`he-ml: ${name}: ${message}\n`)
  process.exit(9)
})

try {
  await createProgram().parseAsync()
} catch (failure) {
  const error = systemError(failure)
  const code = exitCodeOf(error)
  const isUsage = String((error as { code?: unknown })?.code ?? '').startsWith('commander.')
  if (!isUsage) {
    const { name, message, stack } = error as Error
    process.stderr.write(`he-ml: ${code === 1 ? stack : `${name}: ${message}`}\n`)
  }
  if (process.argv.includes('--json') && code !== 0)
    process.stdout.write(`${errorDocument(error, code, doneBefore(failure))}\n`)
  process.exitCode = code
}
