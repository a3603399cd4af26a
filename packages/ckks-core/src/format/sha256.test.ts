/** Node's hash and the portable one, which browsers have, against each other. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { toHex } from './to-hex.ts'

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) % 251)

async function load(where: 'node' | 'browser') {
  vi.resetModules()
  if (where === 'browser') vi.stubGlobal('process', undefined)
  return import('./sha256.ts')
}
afterEach(() => {
  vi.unstubAllGlobals()
})

describe.each(['node', 'browser'] as const)('sha256 in a %s', (where) => {
  it('is the known digest', async () => {
    const { sha256 } = await load(where)
    expect(toHex(sha256(new TextEncoder().encode('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
  it('of bytes and of them with their digest behind is that of either alone', async () => {
    const { sha256, sha256AndOfWhole } = await load(where)
    const { own, whole } = sha256AndOfWhole(bytes)
    expect(own).toEqual(sha256(bytes))
    expect(whole).toEqual(sha256(Uint8Array.of(...bytes, ...own)))
  })
})
