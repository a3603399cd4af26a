/**
 * What packages claim of browsers: everything bundles without a module of Node, and the programs of READMEs run in Chromium, among them
 * a client that talks to a server here. Machines without Chromium bundle alone, and say so; where
 * `HE_ML_CHROMIUM` names one it must run.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleForBrowsers } from './bundle.mjs'
import { findChromium, type PageOutcome, type PageProgram, runInPage } from './chromium.ts'
import { browserClaim } from './claims.mjs'
import { createSite, type Site } from './site.test-helper.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const work = mkdtempSync(join(tmpdir(), 'he-ml-browsers-'))
afterAll(() => rmSync(work, { recursive: true }))
// every package by its name, whatever the folder's own manifest lists
mkdirSync(join(work, 'node_modules/@he-ml'), { recursive: true })
const folders = readdirSync(join(root, 'packages'))
for (const name of folders) symlinkSync(join(root, 'packages', name), join(work, 'node_modules/@he-ml', name), 'dir')
symlinkSync(join(root, 'packages/ckks-seal/node_modules/node-seal'), join(work, 'node_modules/node-seal'), 'dir')

const claims = folders.flatMap((folder) => {
  const read = (file: string) => readFileSync(join(root, 'packages', folder, file), 'utf8')
  return browserClaim(JSON.parse(read('package.json')), read('README.md')) ?? []
})
const bundle = (code: string) => bundleForBrowsers(code, { folder: work, conditions: ['@he-ml/source'] })

it('packages that clients are made of claim to run in browsers, each with a program that shows it', () => {
  expect(claims.map(({ name }) => name.replace('@he-ml/', ''))).toEqual(
    'activations ckks-core ckks-seal model nn-layers packing pipeline session'.split(' '),
  )
  expect(claims.filter(({ programs }) => programs.length === 0)).toEqual([])
})

describe('bundles for browsers', () => {
  it.each(claims.flatMap(({ modules }) => modules))('%s reaches no module of Node', async (name) => {
    const { text, problems } = await bundle(`export * from '${name}'`)
    expect(problems).toEqual([])
    expect(text).toContain('export {')
  })
  it('what does reach one is found, with the file', async () => {
    const { problems } = await bundle(`export * from '@he-ml/ckks-core/node'`)
    expect(problems.join('\n')).toMatch(/packages\/ckks-core\/src\/node\/[\w-]+\.ts:\d+: Could not resolve "node:/)
  })
})

/**
 * A secret key from what the page's `crypto` gives: the same numbers make the same key, others another, so that it has no other source.
 * SEAL's key has as its name a hash of it.
 */
const RANDOMNESS = `
import { createParameters } from '@he-ml/ckks-core'
import { sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import SEAL from 'node-seal/allows_wasm_web_es.js'

const parameters = createParameters(sealParameters({ logN: 13, levels: 1, scaleBits: 30 }))
const platform = crypto.getRandomValues.bind(crypto)
let drawn = 0
async function keyFrom(give: (out: Uint8Array) => Uint8Array): Promise<string> {
  crypto.getRandomValues = ((out: Uint8Array) => {
    drawn += out.byteLength
    return give(out)
  }) as typeof crypto.getRandomValues
  const client = await createSealClient(parameters, { seal: await SEAL() })
  using key = await client.generateSecretKey()
  return key.keyId
}
const counting = (start: number) => {
  let next = start
  return (out: Uint8Array) => {
    for (let i = 0; i < out.length; i++) out[i] = next = (next * 137 + 187) % 256
    return out
  }
}
const [one, again, other] = [await keyFrom(counting(1)), await keyFrom(counting(1)), await keyFrom(counting(2))]
console.log(one === again, one === other, drawn >= 3 * 32)
console.log((await keyFrom(platform)) === (await keyFrom(platform)))
`

const chromium = findChromium()
if (chromium === undefined)
  console.log('browsers: no Chromium here (Debian: apt-get install chromium), so nothing is run in a page')

describe.skipIf(chromium === undefined)('in Chromium', () => {
  let site: Site
  let outcomes: readonly PageOutcome[] = []
  beforeAll(async () => {
    const programs: PageProgram[] = []
    const codes = claims.flatMap(({ name, programs }) =>
      programs.map((code, i) => [`${name} #${i + 1}`, code] as const),
    )
    for (const [name, code] of [...codes, ['randomness', RANDOMNESS] as const]) {
      const { text, problems } = await bundle(code)
      expect(problems).toEqual([])
      programs.push({ name, text })
    }
    site = await createSite()
    outcomes = await runInPage(chromium!, programs, site.serve)
  })
  afterAll(() => site?.[Symbol.asyncDispose]())
  const linesOf = (name: string) => outcomes.find((outcome) => outcome.name === name)?.lines ?? []

  it('every program of a README ends without an error', () => {
    expect(outcomes.length).toBeGreaterThan(claims.length)
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([])
  })
  it('a page encrypts, a server on SEAL runs, the page decrypts what the clear network says', () => {
    const answer = linesOf('@he-ml/session #1')[0]!.split(',').map(Number)
    expect(site.runs).toBe(1)
    expect(answer).toHaveLength(site.clearAnswer.length)
    for (const [i, v] of site.clearAnswer.entries()) expect(Math.abs(answer[i]! - v)).toBeLessThan(site.within)
  })
  it('SEAL encrypts, computes and decrypts in the page', () => {
    const values = linesOf('@he-ml/ckks-seal #1')[0]!.split(',').map(Number)
    // errors have a standard deviation of some 2^-21
    for (const [i, v] of [2, 4, 6, 8].entries()) expect(Math.abs(values[i]! - v)).toBeLessThan(2 ** -15)
  })
  it('keys are made of nothing but what the page’s crypto gives', () => {
    expect(linesOf('randomness')).toEqual(['true false true', 'false'])
  })
})
