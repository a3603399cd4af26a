// What a tarball needs and the repository does not keep: the license, and JavaScript with declarations, or the addons of a platform
// package. npm and pnpm call it in a package's folder before they pack it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPlatform } from './platforms/build-platform.mjs'
import { platformPackages } from './platforms/platform-packages.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = process.cwd()
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
const platform = platformPackages().find((of) => join(root, of.folder) === folder)
if (platform) {
  try {
    buildPlatform(root, platform)
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
} else {
  const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  // packages are built after those they depend on, which their declarations name; what packs reads standard output
  const build = ['run', '--silent', 'build', '--', `--filter=${name}`, '--output-logs=errors-only']
  const { status } = spawnSync('npm', build, { cwd: root, stdio: ['ignore', 2, 2] })
  process.exit(status ?? 1)
}
