import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nativeLayeringProblems } from './native.mjs'
import { type Files, folderOf } from './repository.test-helper.ts'

const layers = { testing: [], kernel: [], scheme: ['kernel'], server: ['scheme'] }
const sound: Files = {
  'one/testing/test.h': '',
  'one/kernel/add.h': '#include <vector>\n',
  'one/kernel/tests/add-test.cpp': '#include "testing/test.h"\n#include "kernel/add.h"\n',
  'two/scheme/ring.h': '#include "kernel/add.h"\n',
  'two/server/run.h': '#include "scheme/ring.h"\n#include "kernel/add.h"\n',
  'two/server/run.cpp': '#include "run.h"\n',
}
const problemsOf = (change: Files): string[] => {
  const root = folderOf({ ...sound, ...change })
  return nativeLayeringProblems([join(root, 'one'), join(root, 'two')], layers)
}

describe('nativeLayeringProblems', () => {
  it('has nothing to say of includes that go downwards, in one folder of layers or from one to another', () => {
    expect(problemsOf({})).toEqual([])
  })

  it('finds includes that go up, nowhere, or from the product to its tests', () => {
    expect(problemsOf({ 'one/kernel/add.h': '#include "scheme/ring.h"\n' })).toContain(
      'kernel/add.h includes "scheme/ring.h": kernel may use kernel',
    )
    expect(problemsOf({ 'two/scheme/ring.h': '#include "gone.h"\n' })).toEqual([
      'scheme/ring.h includes "gone.h": there is no such file',
    ])
    expect(problemsOf({ 'one/kernel/add.h': '#include "testing/test.h"\n' })).toEqual([
      'kernel/add.h includes "testing/test.h": kernel may use kernel',
    ])
    expect(problemsOf({ 'one/kernel/tests/add.h': '', 'one/kernel/add.h': '#include "kernel/tests/add.h"\n' })).toEqual(
      ['kernel/add.h includes "kernel/tests/add.h": only tests may use tests'],
    )
  })

  it('finds a circle of includes inside one layer, and folders that are no layer', () => {
    expect(
      problemsOf({ 'two/server/run.h': '#include "server/go.h"\n', 'two/server/go.h': '#include "run.h"\n' }),
    ).toEqual(['a circle of includes: server/go.h -> server/run.h -> server/go.h'])
    expect(problemsOf({ 'two/extra/a.h': '' })).toEqual(['extra/a.h: no layer "extra" in scripts/layers.json'])
  })
})
