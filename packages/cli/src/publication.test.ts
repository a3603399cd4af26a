/**
 * Attacks on published results by files and commands: a hostile server, a hurried owner. The commands run in this process,
 * which is fast; several processes at one ledger are tested beside it (ckks-core, client/node).
 */
import { cp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import {
  type CiphertextObject,
  createParameters,
  encodeContainer,
  type HeaderOf,
  parseContainer,
} from '@he-ml/ckks-core'
import { type Plan, planDigest } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Folder, temporaryFolder, writeInputs } from './cli.test-helper.ts'
import { exitCodeOf } from './exit-codes.ts'
import { createProgram } from './program.ts'

interface LedgerReport {
  readonly used: number
  readonly queries?: number
  readonly left?: number
  readonly requests: number
  readonly outOfRange: number
}

let here: Folder

/** Runs a command; names of files are those of the test's folder. */
async function heMl(args: readonly string[]) {
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += text
      return true
    }),
  )
  const paths = args.map((a) => (/\.(json|key|keys|ct|in|onnx)$/.test(a) ? here.at(a) : a))
  let code = 0
  try {
    await createProgram().parseAsync(paths, { from: 'user' })
  } catch (error) {
    code = exitCodeOf(error)
    said.stderr += (error as Error).message
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return { code, ...said, json: <T = Record<string, unknown>>() => JSON.parse(said.stdout) as T }
}

async function mustRun(args: readonly string[]) {
  const result = await heMl(args)
  expect(result.code, result.stderr).toBe(0)
  return result
}
const keygen = (plan: string, name: string, ...more: string[]) => [
  ...['keygen', '-p', plan, '-s', `${name}.key`, '-e', `${name}.keys`, '-q', ...more],
]
const encrypting = (key: string, out: string, ...more: string[]) => [
  ...['encrypt', '-p', 'plan.json', '-k', `${key}.key`, '-d', 'images.json', '-o', out, ...more],
]
const deciding = (key: string, file: string, ...more: string[]) => [
  ...['decrypt', '-p', 'plan.json', '-k', `${key}.key`, '-i', file, '--json', ...more],
]
const publishing = (key: string, file: string, queries = 1, ...more: string[]) =>
  deciding(
    key,
    file,
    ...['--publish-queries', String(queries), '--statistical-bits', '10', '--precision-bits', '-30', ...more],
  )
const ledger = async (key: string): Promise<LedgerReport> =>
  (await mustRun(['ledger', '-k', `${key}.key`, '--json'])).json<LedgerReport>()

/** Encrypts, and lets the server answer. */
async function answer(key: string, out: string, ...more: string[]): Promise<void> {
  await mustRun(encrypting(key, `${out}.in`, ...more))
  const run = ['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', `${key}.keys`]
  await mustRun([...run, '-i', `${out}.in`, '-o', out, '-q'])
}

/** A fresh key with its evaluation keys, and one result. */
async function party(name: string): Promise<void> {
  await mustRun(keygen('plan.json', name))
  await answer(name, `${name}.ct`)
}

async function refused(args: readonly string[], says: RegExp, code = 5): Promise<void> {
  const { code: got, stderr, stdout } = await heMl(args)
  expect(stderr).toMatch(says)
  expect(got, stderr).toBe(code)
  expect(stdout).toBe('')
}

/** The file with another header, and a right checksum: what a server can send. */
async function reseal(from: string, to: string, change: (h: HeaderOf<'ciphertext'>) => object): Promise<void> {
  const { header, segments } = parseContainer(await readFile(here.at(from)), { kind: 'ciphertext' })
  const { segments: _, ...rest } = header
  const { parameters } = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
  const changed = { ...rest, ...change(header) } as Parameters<typeof encodeContainer>[0]
  const bytes = encodeContainer(changed, segments, createParameters(parameters))
  await writeFile(here.at(to), bytes)
}
const objects = (change: Partial<CiphertextObject>) => (h: HeaderOf<'ciphertext'>) => ({
  objects: h.objects.map((o) => ({ ...o, ...change })),
})

beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, { size: 6, channels: 1, blocks: 1 })
  const plan = ['plan', '-m', 'net.onnx', '-d', 'images.json', '-q', '--degree', '3']
  await mustRun([...plan, '-o', 'plan.json'])
  await party('main')
})
afterAll(() => here[Symbol.asyncDispose]())

describe('the budget of a key', () => {
  it('is spent once, by whatever process, copy of the result or raised number', async () => {
    await party('spent')
    expect((await stat(here.at('spent.key.ledger'))).mode & 0o777).toBe(0o600)
    const first = await mustRun(publishing('spent', 'spent.ct', 2))
    expect(first.json<{ visibility: string }>().visibility).toBe('published')
    expect(first.stderr).toBe('')
    await refused(publishing('spent', 'spent.ct', 3), /what was declared stays/)
    await refused(publishing('spent', 'spent.ct', 2, '--statistical-bits', '40'), /what was declared stays/)
    expect(await ledger('spent')).toMatchObject({ used: 1, queries: 2, left: 1, requests: 1, outOfRange: 0 })
    // several at once for the last one
    const ends = await Promise.all([1, 2, 3].map(() => heMl(publishing('spent', 'spent.ct', 2))))
    expect(ends.map((e) => e.code).sort()).toEqual([0, 5, 5])
    await refused(publishing('spent', 'spent.ct', 2), /2 of 2 declared queries are used/)
    // keygen with the key that is there begins nothing anew
    await mustRun(keygen('plan.json', 'spent', '--reuse'))
    await refused(publishing('spent', 'spent.ct', 2), /2 of 2/)
    // a link to the key is the same key with the same ledger
    await symlink('spent.key', here.at('link.key'))
    await refused(publishing('link', 'spent.ct', 2), /2 of 2/)
    await refused(['ledger', '-k', 'link.key', '--start', '-p', 'plan.json', '--used', '0'], /never begun again/)
    // and what is private stays possible
    await mustRun(deciding('spent', 'spent.ct'))
  })

  it('does not come back with a copy, a damaged or a missing ledger', async () => {
    await party('lost')
    await cp(here.at('lost.key'), here.at('copy.key'))
    await refused(publishing('copy', 'lost.ct'), /copy\.key\.ledger is missing/)
    const quiet = await mustRun(encrypting('copy', 'copy.in'))
    expect(quiet.stderr).toMatch(/copy\.key\.ledger is missing.*not published/)
    await mustRun(deciding('copy', 'lost.ct'))
    // begun with what its owner declares, and with no request remembered
    const begin = ['ledger', '-k', 'copy.key', '--start', '-p', 'plan.json', '--json']
    await refused(begin, /--used/, 2)
    const begun = await mustRun([...begin, '--used', '3'])
    expect(begun.json()).toMatchObject({ used: 3, requests: 0 })
    await refused([...begin, '--used', '0'], /never begun again/)
    await refused(publishing('copy', 'lost.ct', 9), /does not know/)
    await mustRun(encrypting('copy', 'copy.in'))
    const run = ['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'lost.keys', '-i', 'copy.in', '-o', 'copy.ct', '-q']
    await mustRun(run)
    await refused(publishing('copy', 'copy.ct', 3), /3 results were published before/)
    await mustRun(publishing('copy', 'copy.ct', 4))

    const text = await readFile(here.at('lost.key.ledger'), 'utf8')
    await writeFile(here.at('lost.key.ledger'), text.replace(/"used":0/, '"used":1'))
    for (const command of [publishing('lost', 'lost.ct'), deciding('lost', 'lost.ct'), encrypting('lost', 'x.ct')])
      await refused(command, /lost\.key\.ledger: .*changed or damaged.*Put back a copy/s, 3)
    await rm(here.at('lost.key.ledger'))
    await refused(publishing('lost', 'lost.ct'), /is missing/)
    // a ledger of another key is none
    await cp(here.at('main.key.ledger'), here.at('lost.key.ledger'))
    await refused(publishing('lost', 'lost.ct'), /is the ledger of key/, 4)
  })
})

describe('a returned file', () => {
  it('with another scale, level, period or number is refused before it is decrypted', async () => {
    const scale = 2 ** -20
    await reseal('main.ct', 'scale.ct', (h) => objects({ scale: h.objects[0]!.scale * scale })(h))
    await reseal('main.ct', 'slots.ct', (h) => objects({ slots: h.objects[0]!.slots / 2 })(h))
    for (const [file, says] of [
      ['scale.ct', /the result's scale/],
      ['slots.ct', /the result's slots/],
      ['main.ct.in', /the result's (level|scale)/],
    ] as const) {
      await refused(publishing('main', file), says, 4)
      await refused(deciding('main', file), says, 4)
    }
    expect((await ledger('main')).used).toBe(0)
  })

  it('of another or no plan, key or request is not published', async () => {
    await reseal('main.ct', 'noPlan.ct', () => ({ plan: undefined }))
    await reseal('main.ct', 'noKey.ct', () => ({ keyId: undefined }))
    await reseal('main.ct', 'noRequest.ct', () => ({ request: undefined }))
    await reseal('main.ct', 'request.ct', () => ({ request: '00'.repeat(16) }))
    await refused(publishing('main', 'noPlan.ct'), /result's plan.*got none/, 4)
    await refused(publishing('main', 'noKey.ct'), /result's keyId.*got none/, 4)
    await refused(publishing('main', 'noRequest.ct'), /none named/)
    await refused(publishing('main', 'request.ct'), /does not know/)
    const privately = await mustRun(deciding('main', 'request.ct'))
    expect(privately.stderr).toMatch(/it can be read, not published/)
  })

  it('that answers what others encrypted with the public key stays private', async () => {
    await mustRun(keygen('plan.json', 'main', '--reuse', '--public', 'public.key'))
    await mustRun(encrypting('public', 'theirs.in'))
    const run = [
      'run',
      '-p',
      'plan.json',
      '-m',
      'net.onnx',
      '-e',
      'main.keys',
      '-i',
      'theirs.in',
      '-o',
      'theirs.ct',
      '-q',
    ]
    await mustRun(run)
    await refused(publishing('main', 'theirs.ct'), /does not know.*the range of others is unknown/)
    await mustRun(deciding('main', 'theirs.ct'))
  })

  it('is not judged by a plan that promises more than the one the key was made for', async () => {
    const plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
    const better = { ...plan, report: { ...plan.report, precisionBits: 80 } }
    const id = planDigest(better)
    await writeFile(here.at('better.json'), JSON.stringify({ ...better, id }))
    await reseal('main.ct', 'better.ct', () => ({ plan: id }))
    const args = publishing('main', 'better.ct').map((a) => (a === 'plan.json' ? 'better.json' : a))
    await refused(args, /one key serves one plan/, 4)
    // nor is a key made for it of any use
    await mustRun(keygen('better.json', 'better'))
    const swap = (args: string[]) => args.map((a) => (a === 'plan.json' ? 'better.json' : a))
    await mustRun(swap(encrypting('better', 'better.in')))
    const run = ['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'better.keys', '-i', 'better.in', '-o', 'b.ct', '-q']
    await mustRun(swap(run))
    await refused(swap(publishing('better', 'b.ct')), /whoever publishes makes the plan/)
  })
})

describe('inputs outside the calibrated range', () => {
  it('are refused, or allowed and never published, whatever the file says', async () => {
    const [first] = JSON.parse(await readFile(here.at('images.json'), 'utf8')) as number[][]
    await writeFile(here.at('wide.json'), JSON.stringify(first!.map((x) => 64 * x)))
    const wide = (args: string[]) => args.map((a) => (a === 'images.json' ? 'wide.json' : a))
    await refused(wide(encrypting('main', 'wide.in')), /calibrated for real values/, 2)
    await mustRun(wide(encrypting('main', 'wide.in', '--allow-out-of-range')))
    const run = ['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'main.keys', '-i', 'wide.in', '-o', 'wide.ct', '-q']
    await mustRun(run)
    await refused(publishing('main', 'wide.ct'), /outside the plan's range/)
    await mustRun(deciding('main', 'wide.ct'))
    await reseal('wide.ct', 'wide2.ct', () => ({ labels: { range: 'fine' }, request: '11'.repeat(16) }))
    await refused(publishing('main', 'wide2.ct'), /does not know/)
    expect((await ledger('main')).outOfRange).toBe(1)
  })
})
