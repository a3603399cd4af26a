// Runs a TypeScript entry of this repository from source: node scripts/run.mjs FILE [ARGS...]
import { spawnSync } from 'node:child_process'

const [file, ...args] = process.argv.slice(2)
const result = spawnSync(
  process.execPath,
  ['--conditions=@he-ml/source', '--import', 'tsx', '--expose-gc', file, ...args],
  { stdio: 'inherit' },
)
process.exit(result.status ?? 1)
