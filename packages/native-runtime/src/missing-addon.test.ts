import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { missingAddonMessage } from './missing-addon.ts'

const missing = {
  what: 'the native thing',
  variable: 'HE_ML_THING_PATH',
  instead: '@he-ml/other',
  from: pathToFileURL('/with space/@he-ml/thing/dist/index.js').href,
  addon: 'thing',
  package: '@he-ml/thing',
}

describe('the message about a missing addon', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('lists what was tried, then the one command that builds it', () => {
    const attempts = [
      { path: '/with space/@he-ml/thing/build/release/thing.node', problem: 'no such file' },
      { path: '@he-ml/thing-linux-x64/thing.node', problem: 'not installed' },
    ]
    expect(missingAddonMessage({ ...missing, attempts }).split('\n')).toEqual([
      'the native thing could not be loaded; tried',
      '  /with space/@he-ml/thing/build/release/thing.node: no such file',
      '  @he-ml/thing-linux-x64/thing.node: not installed',
      'Build from source, with CMake 3.20 and a C++20 compiler: node "/with space/@he-ml/thing/scripts/build.mjs"',
      'or use @he-ml/other',
    ])
  })
  it('speaks of the variable where that is all that was tried', () => {
    const attempts = [{ path: '/x.node', problem: 'no such file' }]
    const message = missingAddonMessage({ ...missing, forced: '/x.node', attempts })
    expect(message).toContain('  /x.node: no such file\nHE_ML_THING_PATH replaces every other place: unset it')
    expect(message).not.toContain('build.mjs')
  })
  it('speaks of Node where there is none', () => {
    vi.stubGlobal('process', undefined)
    expect(missingAddonMessage({ ...missing, attempts: [] })).toBe(
      'the native thing runs under Node alone: use @he-ml/other',
    )
  })
})
