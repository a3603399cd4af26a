import { describe, expect, it } from 'vitest'
import { platformProblems, tarballProblems } from './tarballs.mjs'

const files = ['LICENSE', 'README.md', 'dist/index.js', 'package.json']

describe('a tarball', () => {
  it('is the same from npm, with license and README, and ranges that a registry knows', () => {
    const manifest = { name: 'a', version: '1.0.0', dependencies: { b: '^1.0.0' } }
    expect(tarballProblems({ files, byNpm: files, manifest })).toEqual([])
    const wrong = {
      ...manifest,
      peerDependencies: { c: 'workspace:^' },
      exports: { '.': { '@he-ml/source': './a.ts' } },
    }
    expect(tarballProblems({ files: ['README.md', 'a'], byNpm: ['README.md', 'b'], manifest: wrong })).toEqual([
      'has no LICENSE',
      'a is packed by pnpm, not by npm',
      'b is packed by npm, not by pnpm',
      'peerDependencies has c as "workspace:^"',
      'exports name sources',
    ])
  })
  it('of a platform holds its addons alone, for its machines, in the version that the main package wants', () => {
    const manifest = { name: 'a-linux-x64', version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['glibc'] }
    const packed = ['LICENSE', 'README.md', 'a.node', 'package.json']
    const main = { name: 'a', version: '1.0.0', optionalDependencies: { 'a-linux-x64': '1.0.0' } }
    const of = { target: 'linux-x64', addons: ['a'], main }
    expect(platformProblems({ files: packed, byNpm: packed, manifest }, of)).toEqual([])
    const wrong = { ...manifest, cpu: ['arm64'], version: '1.0.1' }
    expect(platformProblems({ files, byNpm: files, manifest: wrong }, of)).toEqual([
      'cpu is arm64, expected x64',
      'holds LICENSE, README.md, dist/index.js, package.json, expected LICENSE, README.md, a.node, package.json',
      'is version 1.0.1, and a wants 1.0.0',
    ])
  })
})
