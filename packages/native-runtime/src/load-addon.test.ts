import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { addonPlaces, describeAttempts, loadAddon } from './load-addon.ts'
import { environmentVariable } from './node-modules.ts'

const folder = mkdtempSync(join(tmpdir(), 'he-ml-addon-'))
afterAll(() => rmSync(folder, { recursive: true }))
const from = pathToFileURL(join(folder, 'src', 'module.ts')).href

describe('places', () => {
  it('are what was built in the package, then the file of the platform’s package', () => {
    expect(addonPlaces({ from, addon: 'thing', package: '@he-ml/thing' })).toEqual([
      join(folder, 'build/release/thing.node'),
      `@he-ml/thing-${process.platform}-${process.arch}/thing.node`,
    ])
  })
  it('are the forced one alone', () => {
    expect(addonPlaces({ forced: '/x.node', from, addon: 'thing', package: 'thing' })).toEqual(['/x.node'])
  })
})

describe('loading', () => {
  const [missing, broken, module] = ['missing.node', 'broken.node', 'module.cjs'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(broken, 'not a library')
  writeFileSync(module, 'module.exports = { answer: 42 }')

  it('takes the first that loads and keeps why the others did not', () => {
    const { binding, attempts } = loadAddon<{ answer: number }>([missing, broken, module, missing], from)
    expect(binding).toEqual({ answer: 42 })
    expect(attempts.map((a) => a.path)).toEqual([missing, broken, module])
    expect(attempts[0]!.problem).toBe('no such file')
    expect(attempts[1]!.problem).toContain('broken.node')
    expect(attempts[2]!.problem).toBeUndefined()
    expect(describeAttempts(attempts).split('\n')).toHaveLength(2)
  })
  it('gives none when nothing loads', () => {
    const { binding, attempts } = loadAddon([missing, '@he-ml/no-such-package'], from)
    expect(binding).toBeUndefined()
    expect(describeAttempts(attempts)).toBe(`  ${missing}: no such file\n  @he-ml/no-such-package: not installed`)
  })
  it('says why for each of the usual places', () => {
    const { attempts } = loadAddon(addonPlaces({ from, addon: 'thing', package: '@he-ml/thing' }), from)
    expect(attempts.map((a) => a.problem)).toEqual(['no such file', 'not installed'])
  })
})

describe('without Node', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('there is no place, no addon and no environment', () => {
    vi.stubGlobal('process', undefined)
    expect(addonPlaces({ from: 'https://site/app.js', addon: 'thing', package: 'thing' })).toEqual([])
    expect(loadAddon([join(folder, 'module.cjs')], from)).toEqual({ attempts: [] })
    expect(environmentVariable('PATH')).toBeUndefined()
    vi.unstubAllGlobals()
    expect(environmentVariable('PATH')).toBe(process.env.PATH)
  })
})
