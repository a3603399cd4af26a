/** The server's files and the memory of its process have no secret key in them, in no form; where one is planted it is found. */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { parametersOf } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandWith, type Folder, mustRun, start, temporaryFolder, writeInputs } from '../cli.test-helper.ts'
import { readPlan } from '../files/plan-file.ts'
import { ByteFinder } from './byte-finder.test-helper.ts'
import type { Plant } from './plant.test-helper.ts'
import { searchMemory, stopped, unreadable } from './process-memory.test-helper.ts'
import { type SecretForm, secretForms, transformedName } from './secret-forms.test-helper.ts'

/** Consecutive coefficients that are looked for at a time: 50 bits of the secret. */
const VALUES = 32
/** Places in the secret from which these are taken. */
const PLACES = 4

let here: Folder
let forms: SecretForm[]
let finder: ByteFinder
let names: string[]
let primes: bigint[]
beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, { size: 6, channels: 1, blocks: 1 })
  const client = (...args: string[]) => mustRun(here.path, ...args)
  await client('plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', '-q', '--degree', '3')
  await client('keygen', '-p', 'plan.json', '-s', 'client/secret.key', '-e', 'server/keys', '-q')
  await client('encrypt', '-p', 'plan.json', '-k', 'client/secret.key', '-d', 'images.json', '-o', 'server/in.ct')
  for (const name of ['plan.json', 'net.onnx']) await cp(here.at(name), here.at('server', name))
  const parameters = parametersOf(await readPlan(here.at('plan.json')))
  primes = [...parameters.q.flat(), ...parameters.p].map(BigInt)
  forms = secretForms(await readFile(here.at('client/secret.key')), parameters)
  names = forms.map(({ name }) => name).sort()
  finder = new ByteFinder()
  for (const { name, bytes, bits } of forms) {
    const size = Math.max(VALUES, (VALUES * bits) / 8)
    for (let place = 0; place < PLACES; place++) {
      const from = Math.floor((bytes.length * (2 * place + 1)) / (2 * PLACES))
      finder.add(name, bytes.subarray(from, from + size))
    }
  }
  // each at another alignment
  await writeFile(here.at('planted.bin'), Buffer.concat(forms.flatMap(({ bytes }) => [Uint8Array.of(7), bytes])))
})
afterAll(() => here[Symbol.asyncDispose]())

/** All that the files of a folder have in them. */
async function searchFiles(folder: string): Promise<string[]> {
  const found = new Set<string>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      for (const name of finder.in(await readFile(`${entry.parentPath}/${entry.name}`))) found.add(name)
  return [...found].sort()
}

/** What is found when a run stands still at its first operation on files with `under` in their path; then it goes on to its end. */
async function searchServer(under: string, plant?: Plant) {
  const load = { 'disk-fault': { does: 'stop', under, at: 1 }, ...(plant ? { plant } : {}) } as const
  const args = ['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '-o', 'result.ct']
  const server = start(here.at('server'), [...args, '--checkpoints', 'kept', '--threads', '2', '-q'], commandWith(load))
  try {
    await stopped(server)
    const { found, bytes } = await searchMemory(server.child.pid!, finder)
    const files = await searchFiles(here.at('server'))
    server.child.kill('SIGCONT')
    const { code, stderr } = await server.done
    expect(code, stderr).toBe(0)
    return { memory: [...found].sort(), bytes, files }
  } finally {
    server.child.kill('SIGKILL')
  }
}

describe('a server', () => {
  it.each([
    ['in the middle of a run', 'kept/'],
    ['when the result is there', 'result.ct'],
  ])('has no secret key in its memory, nor in its files, %s', async (_, under) => {
    const reason = await unreadable()
    if (reason !== undefined) {
      console.warn(`the memory of a server is not searched: ${reason}`)
      expect(await searchFiles(here.at('server'))).toEqual([])
      return
    }
    const { memory, files, bytes } = await searchServer(under)
    expect(memory).toEqual([])
    expect(files).toEqual([])
    // its keys and values, and what the program itself has
    expect(bytes).toBeGreaterThan(2 ** 25)
  })
})

describe('a secret key that is planted', () => {
  it('is found in every form in a file', async () => {
    await mkdir(here.at('planted'), { recursive: true })
    await cp(here.at('server'), here.at('planted/server'), { recursive: true })
    await cp(here.at('planted.bin'), here.at('planted/server/keys/planted.bin'))
    expect(await searchFiles(here.at('planted'))).toEqual(names)
    expect(await searchFiles(here.at('client'))).toEqual(['file'])
  })

  it('is found in every form in memory', async (context) => {
    if ((await unreadable()) !== undefined) return context.skip()
    const { memory, files } = await searchServer('kept/', { bytes: here.at('planted.bin') })
    expect(memory).toEqual(names)
    expect(files).toEqual([])
  })

  it("is found as the library's own client holds it: coefficients in bytes, and transformed modulo every prime", async (context) => {
    if ((await unreadable()) !== undefined) return context.skip()
    const { memory } = await searchServer('kept/', { key: here.at('client/secret.key'), plan: here.at('plan.json') })
    expect(memory).toEqual(expect.arrayContaining([Int8Array.name, ...primes.map(transformedName)]))
  })
})
