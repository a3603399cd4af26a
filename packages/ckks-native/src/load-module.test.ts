/** Where compiled modules are looked for, with the real ones laid out as they are when packages are installed. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const here = dirname(fileURLToPath(import.meta.url))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'he-ml-installed-')))
const root = join(folder, 'node_modules/@he-ml/ckks-native')
const entry = join(root, 'dist/index.mjs')
const built = join(root, 'build/release')
const platform = join(folder, `node_modules/@he-ml/ckks-native-${process.platform}-${process.arch}`)
const elsewhere = join(folder, 'elsewhere')

const place = (into: string): void => {
  mkdirSync(into, { recursive: true })
  for (const file of ['he_ml_native.node', 'he_ml_client.node'])
    copyFileSync(join(here, '../build/release', file), join(into, file))
}

/** Loads both modules in a process of their own. @returns the folders that they come from, or the error */
function loaded(environment: Record<string, string> = {}) {
  const script = `
    const { loadModule } = await import(${JSON.stringify(entry)})
    try {
      loadModule('he_ml_native')
      loadModule('he_ml_client')
      const files = process.report.getReport().sharedObjects.filter((path) => /he_ml_\\w+\\.node$/.test(path))
      console.log(JSON.stringify({ files: files.sort() }))
    } catch ({ name, message }) {
      console.log(JSON.stringify({ name, message }))
    }`
  // some starters of programs set NODE_PATH, by which packages are found that are not installed
  const { HE_ML_NATIVE_PATH: _, NODE_PATH: __, ...rest } = process.env
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...rest, ...environment },
  })
  if (!result.stdout) throw new Error(result.stderr)
  return JSON.parse(result.stdout) as { files?: string[]; name?: string; message?: string }
}
const bothOf = (place: string) => ({
  files: [join(place, 'he_ml_client.node'), join(place, 'he_ml_native.node')],
})

beforeAll(async () => {
  await build({
    entryPoints: [join(here, 'load-module.ts')],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@he-ml/source'],
  })
})
beforeEach(() => {
  for (const place of [built, platform, elsewhere]) rmSync(place, { recursive: true, force: true })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('an installed package', () => {
  it('takes both modules from the platform’s package', () => {
    place(platform)
    expect(loaded()).toEqual(bothOf(platform))
  })
  it('prefers what was built in its folder', () => {
    place(platform)
    place(built)
    expect(loaded()).toEqual(bothOf(built))
  })
  it('goes on to the platform’s package when what was built there does not load', () => {
    place(platform)
    place(built)
    for (const file of ['he_ml_native.node', 'he_ml_client.node']) writeFileSync(join(built, file), 'not a library')
    expect(loaded().files).toEqual(expect.arrayContaining(bothOf(platform).files))
  })
  it('takes nothing but what HE_ML_NATIVE_PATH names, and the client beside it', () => {
    place(platform)
    place(built)
    place(elsewhere)
    expect(loaded({ HE_ML_NATIVE_PATH: join(elsewhere, 'he_ml_native.node') })).toEqual(bothOf(elsewhere))
    const lost = loaded({ HE_ML_NATIVE_PATH: join(folder, 'lost.node') })
    expect(lost.name).toBe('UnsupportedError')
    expect(lost.message).toContain(`${join(folder, 'lost.node')}: no such file\nHE_ML_NATIVE_PATH replaces`)
  })
  it('lists both places and one command when there is no module anywhere', () => {
    const { name, message } = loaded()
    expect(name).toBe('UnsupportedError')
    expect(message!.split('\n')).toEqual([
      'the native engine could not be loaded; tried',
      `  ${join(built, 'he_ml_native.node')}: no such file`,
      `  @he-ml/ckks-native-${process.platform}-${process.arch}/he_ml_native.node: not installed`,
      `Build from source, with CMake 3.20 and a C++20 compiler: node "${join(root, 'scripts/build.mjs')}"`,
      'or use @he-ml/ckks-seal',
    ])
  })
})
