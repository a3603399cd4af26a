import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { hostTarget, targetProblem } from '../../packages/native-runtime/scripts/targets.mjs'
import { filesOf, mainProblems, platformPackages } from './platform-packages.mjs'

const root = mkdtempSync(join(tmpdir(), 'he-ml-platforms-'))
afterAll(() => rmSync(root, { recursive: true }))

const names = ['@he-ml/float-kernels-linux-x64', '@he-ml/float-kernels-linux-arm64']
const ofFloats = platformPackages().filter(({ main }) => main === 'float-kernels')

describe('platform packages', () => {
  it('have the main package’s version, and say for which machines they are when they are published', () => {
    mkdirSync(join(root, 'packages/float-kernels'), { recursive: true })
    const main = { version: '1.2.3', license: 'L', engines: { node: '1' }, repository: { url: 'u', directory: 'x' } }
    writeFileSync(join(root, 'packages/float-kernels/package.json'), JSON.stringify(main))
    expect(ofFloats.map(({ name }) => name)).toEqual(names)
    const [manifest, readme] = filesOf(root, ofFloats[1]!)
    expect(manifest!.path).toBe('packages/float-kernels/platforms/linux-arm64/package.json')
    expect(JSON.parse(manifest!.text)).toMatchObject({
      name: names[1],
      version: '1.2.3',
      repository: { url: 'u', directory: 'packages/float-kernels/platforms/linux-arm64' },
      publishConfig: { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
    })
    expect(readme!.text).toContain('node node_modules/@he-ml/float-kernels/scripts/build.mjs')
  })
  it('are asked for by the main package, and versioned with it', () => {
    const optionalDependencies = Object.fromEntries(names.map((name) => [name, 'workspace:*']))
    const group = ['@he-ml/float-kernels', ...names]
    expect(mainProblems('float-kernels', { optionalDependencies }, [['other'], group])).toEqual([])
    const loose = { optionalDependencies: { ...optionalDependencies, [names[0]!]: 'workspace:^' } }
    expect(mainProblems('float-kernels', loose, [names])).toEqual([
      `packages/float-kernels/package.json: optionalDependencies must have ${names[0]} as "workspace:*"`,
      `.changeset/config.json: "fixed" must have the group ${group.join(', ')}`,
    ])
  })
})

describe('a target', () => {
  it('can be built for on its own machine', () => {
    expect(targetProblem(hostTarget())).toBeUndefined()
  })
  it('that there is no package for is named, with those there are', () => {
    expect(targetProblem('plan9-mips')).toBe('no addon is built for plan9-mips, only for linux-x64 and linux-arm64')
  })
})
