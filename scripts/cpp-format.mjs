// One C++ style: clang-format 22 of the development dependency clang-format-node, with .clang-format.
//   node scripts/cpp-format.mjs          fails on a file that is formatted otherwise
//   node scripts/cpp-format.mjs --write  formats
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const home = dirname(createRequire(import.meta.url).resolve('clang-format-node/package.json'))
const suffix = process.platform === 'win32' ? '.exe' : ''
const program = join(home, 'bin', `cfn-${process.platform}-${process.arch}`, `clang-format${suffix}`)
if (!existsSync(program)) {
  console.log(`cpp-format: SKIPPED, clang-format-node has no program for ${process.platform}-${process.arch}`)
  process.exit(0)
}
const files = readdirSync(join(root, 'packages')).flatMap((name) => {
  const native = join(root, 'packages', name, 'native')
  if (!existsSync(native)) return []
  return readdirSync(native, { recursive: true })
    .filter((path) => /\.(h|cpp)$/.test(path))
    .map((path) => join(native, path))
})
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror', '--ferror-limit=1']
const { status, error } = spawnSync(program, [...mode, ...files], { cwd: root, stdio: 'inherit' })
if (error) console.error(`cpp-format: ${error.message}`)
if (status === 0) console.log(`cpp-format: ${files.length} files`)
process.exit(status ?? 1)
