/**
 * Test set-up: the programs that tests start as processes, each bundled once into one file. From source a start takes more than
 * two seconds of processor time, nearly all of it for finding and translating hundreds of modules; as one file a tenth of that.
 * Modules keep the addresses of their sources, and packages that bring WebAssembly stay where they are; one that is imported by a name
 * which only the running program knows is found from beside the bundle.
 */
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { TestProject } from 'vitest/node'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What tests start, by the name they ask `inject('programs')` for; see cli.test-helper.ts. */
const PROGRAMS = {
  'he-ml': 'packages/cli/src/main.ts',
  'disk-fault': 'packages/cli/src/disk-fault.test-helper.ts',
  plant: 'packages/cli/src/secrecy/plant.test-helper.ts',
} as const

/** Where what is imported so is installed. */
const NAMED_LATER = { 'node-seal': 'packages/ckks-seal/node_modules/node-seal' } as const

const STAY = /^(node-seal|h5wasm)(\/|$)/

const inPlace: Plugin = {
  name: 'in-place',
  setup(pluginBuild) {
    const addressOf = async (specifier: string, resolveDir: string): Promise<string> => {
      const options = { kind: 'import-statement', resolveDir, pluginData: 'as it is' } as const
      return pathToFileURL((await pluginBuild.resolve(specifier, options)).path).href
    }
    pluginBuild.onResolve({ filter: STAY }, async ({ path, resolveDir, pluginData }) =>
      pluginData === undefined ? { path: await addressOf(path, resolveDir), external: true } : undefined,
    )
    pluginBuild.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8')
      for (const [call, specifier] of contents.matchAll(/import\.meta\.resolve\('([^']+)'\)/g))
        contents = contents.replace(call, JSON.stringify(await addressOf(specifier!, dirname(path))))
      return {
        loader: 'ts',
        contents: contents.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      }
    })
  },
}

/** @returns what removes them again: every run has bundles of its own, as several may go on at once */
export default async function bundlePrograms(project: TestProject): Promise<() => Promise<void>> {
  const outdir = await mkdtemp(join(tmpdir(), 'he-ml-programs-'))
  await build({
    entryPoints: Object.entries(PROGRAMS).map(([out, path]) => ({ out, in: join(root, path) })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@he-ml/source'],
    // packages in CommonJS call it
    banner: { js: "import{createRequire as _r}from'node:module';const require=_r(import.meta.url);" },
    plugins: [inPlace],
    logLevel: 'error',
  })
  const beside = join(outdir, 'node_modules')
  await mkdir(beside)
  for (const [name, path] of Object.entries(NAMED_LATER)) await symlink(join(root, path), join(beside, name))
  const names = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]
  project.provide('programs', Object.fromEntries(names.map((n) => [n, join(outdir, `${n}.mjs`)])) as never)
  return () => rm(outdir, { recursive: true, force: true })
}
