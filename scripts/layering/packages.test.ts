import { describe, expect, it } from 'vitest'
import { declaredPackages, packageProblems, tableProblems } from './packages.mjs'

describe('tableProblems', () => {
  it('takes edges downwards alone: not up, not sideways, not to what is not there', () => {
    const packages = {
      low: { layer: 0, uses: ['high'] },
      beside: { layer: 1, uses: ['high', 'low'] },
      high: { layer: 1, uses: ['low', 'gone'] },
    }
    expect(tableProblems(packages)).toEqual([
      'scripts/layers.json: low (layer 0) -> high is not downwards',
      'scripts/layers.json: beside (layer 1) -> high is not downwards',
      'scripts/layers.json: high (layer 1) -> gone is not downwards',
    ])
  })
})

describe('declaredPackages', () => {
  it('counts what is needed at run time, of ours, but not what is of one package and one platform', () => {
    const manifest = {
      name: '@he-ml/x',
      dependencies: { '@he-ml/a': '1', zod: '4' },
      peerDependencies: { '@he-ml/b': '1' },
      optionalDependencies: { '@he-ml/c': '1', '@he-ml/x-linux-x64': '1' },
      devDependencies: { '@he-ml/d': '1' },
    }
    expect(declaredPackages(manifest)).toEqual(['a', 'b', 'c'])
  })
})

describe('packageProblems', () => {
  it('judges manifest and files, not tests', () => {
    const file = (path: string, isTest: boolean) => ({ path, isTest, imports: ['@he-ml/no/sub', '@he-ml/yes', 'zod'] })
    const of = {
      uses: ['yes'],
      declared: ['yes', 'no'],
      sources: [file('src/a.ts', false), file('src/b.test.ts', true)],
    }
    expect(packageProblems('x', of)).toEqual([
      'packages/x/package.json depends on @he-ml/no: not an allowed edge',
      'packages/x/src/a.ts imports @he-ml/no: not an allowed edge',
    ])
  })
})
