import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { insecureParametersWithFiles } from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNativeClient } from './client/native-client.ts'
import { kernels } from './kernels.ts'
import { nativeAvailable } from './loader.ts'
import { randomValues, rotationKeys } from './native.test-helper.ts'

const here = dirname(fileURLToPath(import.meta.url))
const steps = Array.from({ length: 15 }, (_, i) => i + 1)

function child(environment: Record<string, string>, ...args: string[]) {
  const result = spawnSync(
    process.execPath,
    ['--conditions=@he-ml/source', '--import', 'tsx', join(here, 'kernel-child.test-helper.ts'), ...args],
    { encoding: 'utf8', env: { ...process.env, ...environment }, cwd: here },
  )
  if (!result.stdout) throw new Error(result.stderr)
  return JSON.parse(result.stdout) as {
    kernel?: string
    hashes?: string[]
    typed?: boolean
    code?: string
    message?: string
  }
}

describe.each([
  { logN: 10, levels: 3, scaleBits: 45 },
  // keys and weights of half a word
  { logN: 11, levels: 3, scaleBits: 30, dnum: 2 },
  { logN: 12, levels: 3, scaleBits: 58, dnum: 2 },
])('every kernel, N = 2^$logN, $scaleBits bits', (request) => {
  const literal = insecureParametersWithFiles(request).toJSON()
  const folder = mkdtempSync(join(tmpdir(), 'he-ml-kernels-'))
  beforeAll(async () => {
    const parameters = insecureParametersWithFiles(literal)
    await using client = createNativeClient(parameters)
    using secret = await client.generateSecretKey()
    const level = parameters.maxLevel
    const request = { relinearization: level, rotations: rotationKeys(steps, level), conjugation: level }
    for await (const { name, bytes } of client.generateEvaluationKeys(secret, request))
      writeFileSync(join(folder, name), bytes)
    const values = { re: randomValues(parameters.maxSlots, 1), im: randomValues(parameters.maxSlots, 2) }
    writeFileSync(join(folder, 'x.ct'), await client.encrypt(secret, [{ values }]))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('gives the same bytes, and is the one that was asked for', () => {
    const { supported } = kernels()
    expect(supported[0]).toBe('scalar')
    const results = supported.map((name) => child({ HE_ML_KERNEL: name }, folder, JSON.stringify(literal)))
    expect(results.map((r) => r.kernel ?? r.message)).toEqual(supported)
    for (const result of results) expect(result.hashes).toEqual(results[0]!.hashes)
    expect(new Set(results[0]!.hashes).size).toBe(results[0]!.hashes!.length)
  })
})

describe('choices that cannot be met', () => {
  it('an unknown kernel is a typed error that lists the known ones', () => {
    const result = child(
      { HE_ML_KERNEL: 'abacus' },
      '.',
      JSON.stringify(insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 })),
    )
    expect(result).toMatchObject({ typed: true, code: 'InvalidArgument' })
    expect(result.message).toMatch(/scalar.*abacus/)
  })
  it('a missing addon is a typed error that lists every attempt and says what to do', () => {
    const path = join(here, 'nowhere', 'he_ml_native.node')
    const result = child(
      { HE_ML_NATIVE_PATH: path },
      '.',
      JSON.stringify(insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 })),
    )
    expect(result).toMatchObject({ typed: true, code: 'Unsupported' })
    expect(result.message).toContain(`${path}: no such file`)
    expect(result.message).toMatch(/unset it[\s\S]*ckks-seal/)
  })
  it('a file that is no addon is named with its reason', () => {
    const folder = mkdtempSync(join(tmpdir(), 'he-ml-loader-'))
    const path = join(folder, 'broken.node')
    writeFileSync(path, 'not a library')
    const result = child(
      { HE_ML_NATIVE_PATH: path },
      '.',
      JSON.stringify(insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 })),
    )
    rmSync(folder, { recursive: true })
    expect(result).toMatchObject({ typed: true, code: 'Unsupported' })
    expect(result.message).toContain(path)
  })
  it('here it is there', () => {
    expect(nativeAvailable()).toBe(true)
  })
})
