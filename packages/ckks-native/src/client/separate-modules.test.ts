/** The engine's module has nothing of the client's in it: no method, no symbol, no string. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { insecureParametersWithFiles } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createNativeEngine } from '../native-engine.ts'

const release = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'build', 'release')
const [engine, client] = ['he_ml_native.node', 'he_ml_client.node'].map((file) => join(release, file)) as [
  string,
  string,
]
const SECRETS = ['SecretKey', 'secretKey', 'KeyGenerator', 'generateKey', 'encrypt', 'decrypt', 'sampleTernary']

describe('the compiled modules', () => {
  it('the engine has no method of a client', async () => {
    await using server = createNativeEngine(insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 }))
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(server.binding))
    expect(methods).toContain('rotateHoisted')
    expect(methods.filter((name) => /secret|generate|encrypt|decrypt/i.test(name))).toEqual([])
    const modules = createRequire(import.meta.url)
    expect(Object.keys(modules(engine))).not.toContain('Client')
    expect(Object.keys(modules(client))).toEqual(['Client'])
  })

  it("the engine's file names nothing of a client; the client's does", () => {
    const [bytes, theirs] = [engine, client].map((path) => readFileSync(path).toString('latin1')) as [string, string]
    for (const word of ['generateSecretKey', 'encryptSymmetric', 'decrypt']) {
      expect(theirs).toContain(word)
      expect(bytes).not.toContain(word)
    }
  })

  it("the engine's file has no symbol of a client", () => {
    const symbols = (path: string): string[] =>
      execFileSync('nm', ['--demangle', path], { encoding: 'utf8', maxBuffer: 2 ** 28 }).split('\n')
    const ofClient = (path: string) => symbols(path).filter((line) => SECRETS.some((word) => line.includes(word)))
    expect(ofClient(client).length).toBeGreaterThan(10)
    expect(ofClient(engine)).toEqual([])
  })
})
