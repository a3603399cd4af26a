import { describe, expect, it } from 'vitest'
import { needsIn, portabilityProblems } from './elf.mjs'

const TEXT = `ELF Header:
  Machine:                           AArch64
Dynamic section at offset 0x1000 contains 3 entries:
 0x0000000000000001 (NEEDED)             Shared library: [libm.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libstdc++.so.6]
Version needs section '.gnu.version_r' contains 1 entry:
  0x0010:   Name: GLIBC_2.34  Flags: none  Version: 7
  0x0020:   Name: GLIBC_2.4  Flags: none  Version: 6
`

describe('what a library asks of a machine', () => {
  const needs = needsIn(TEXT)
  it('is read from readelf; versions count as numbers', () => {
    expect(needs).toEqual({ cpu: 'arm64', libraries: ['libm.so.6', 'libstdc++.so.6'], glibc: '2.34' })
  })
  it('is its processor, libraries that are everywhere, and a glibc that is old enough', () => {
    expect(portabilityProblems(needs, { target: 'linux-arm64', glibc: '2.34' })).toEqual([
      'needs libstdc++.so.6, which a machine may not have',
    ])
    expect(portabilityProblems({ ...needs, libraries: [] }, { target: 'linux-arm64', glibc: '2.100' })).toEqual([])
    expect(portabilityProblems({ ...needs, libraries: [] }, { target: 'linux-x64', glibc: '2.9' })).toEqual([
      'is for arm64, expected linux-x64',
      'needs glibc 2.34, expected 2.9 or older: build with an older one',
    ])
  })
})
