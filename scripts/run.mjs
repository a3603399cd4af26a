// Runs a TypeScript entry of this repository from source: node scripts/run.mjs FILE [ARGS...]
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const [file, ...args] = process.argv.slice(2)
const child = spawn(process.execPath, ['--conditions=@he-ml/source', '--import', 'tsx', '--expose-gc', file, ...args], {
  stdio: 'inherit',
})
// a terminal sends Ctrl-C to the child as well; wait here for it to end in its own way
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
