/**
 * The public surface: every name that a published entry point exports, values and types, one snapshot per package. A change here
 * is a change for users: update with `vitest run scripts/surface.test.ts -u` and write a changeset.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CONDITION = '@he-ml/source'

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const packages = readdirSync(join(root, 'packages')).map((folder) => {
  const path = join(root, 'packages', folder)
  const { name, exports } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
  const modules = Object.entries(exports).filter(([subpath]) => subpath !== './package.json')
  const entries = modules.map(([subpath, conditions]) => ({
    id: subpath.replace('.', name),
    file: join(path, conditions[CONDITION]!),
  }))
  return { folder, entries }
})

const program = ts.createProgram(
  packages.flatMap(({ entries }) => entries.map((e) => e.file)),
  {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ESNext,
    allowImportingTsExtensions: true,
    customConditions: [CONDITION],
    noEmit: true,
    noLib: true,
    types: [],
  },
)
const checker = program.getTypeChecker()

/** 'value name' or 'type name', sorted; a class is a value. */
function declared(file: string): string[] {
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (!module) throw new Error(`${file} is not a module`)
  return checker
    .getExportsOfModule(module)
    .map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      const isTypeOnly = ts.isTypeOnlyImportOrExportDeclaration(symbol.declarations![0]!)
      return `${target.flags & ts.SymbolFlags.Value && !isTypeOnly ? 'value' : 'type '} ${symbol.name}`
    })
    .sort()
}

describe('the public surface', () => {
  it.each(packages)('of $folder', async ({ folder, entries }) => {
    const lines = entries.flatMap(({ id, file }) => [`# ${id}`, ...declared(file), ''])
    await expect(lines.join('\n')).toMatchFileSnapshot(join(root, 'scripts/__surface__', `${folder}.txt`))
  })

  it.each(packages.flatMap((p) => p.entries))('of $id is what an import gives', async ({ file }) => {
    const values = declared(file).filter((line) => line.startsWith('value '))
    const module = (await import(file)) as Record<string, unknown>
    expect(values).toEqual(
      Object.keys(module)
        .sort()
        .map((name) => `value ${name}`),
    )
  })
})
