import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeFailure } from '../failures.ts'
import { listeningShow } from '../testing/listening-show.test-helper.ts'
import { toyMnist } from '../testing/toy-mnist.test-helper.ts'
import { createProgram } from './program.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const data = toyMnist(120, 40)
const out = mkdtempSync(join(tmpdir(), 'main-'))
afterAll(() => {
  for (const folder of [data, out]) rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program as a process; `interrupt` presses Ctrl-C once it has said that. */
function run(args: readonly string[], interrupt?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, ['--conditions=@he-ml/source', '--import', 'tsx', main, ...args])
  let [stdout, stderr, isPressed] = ['', '', false]
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    if (isPressed || !interrupt?.test(stdout)) return
    isPressed = true
    child.kill('SIGINT')
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

/** The same without a process of its own. */
async function call(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const { show, lines } = listeningShow()
  try {
    await createProgram({ show, signal: new AbortController().signal }).parseAsync(args, { from: 'user' })
    return { code: 0, text: lines.join('\n') }
  } catch (error) {
    const { text = '', exitCode } = describeFailure(error)
    return { code: exitCode, text }
  }
}

const train = (recipe: string, ...more: string[]) => [
  'train',
  '--recipe',
  recipe,
  '--data',
  data,
  '--out',
  out,
  ...more,
]
const model = join(out, 'mnist-lif-t2', 'mnist-lif-t2')

describe('the program', () => {
  let [stopped, finished]: (Ended | undefined)[] = []
  beforeAll(async () => {
    // long enough to be stopped half-way
    const args = train('mnist-lif-t2', '--epochs', '30', '--seed', '5')
    stopped = await run(args, /epoch 1\/30/)
    finished = await run([...args, '--resume'])
  })

  it('is stopped by Ctrl-C and goes on', () => {
    expect(stopped!.stderr).toMatch(/stopping; once more[\s\S]*cancelled in epoch \d+, step \d+; .*--resume goes on\n$/)
    expect(stopped!.code).toBe(130)
    expect(finished!.code).toBe(0)
    expect(finished!.stdout).toContain('epoch 30/30')
  })

  it('evaluates as it did after training', async () => {
    const evaluated = await call('evaluate', `${model}.json`, '--data', data)
    expect(evaluated.code).toBe(0)
    expect(finished!.stdout).toContain(evaluated.text)
    expect(evaluated.text).toContain('of 40 right')
  })

  it('evaluates with nothing but the test files, and writes what it answered', async () => {
    const few = mkdtempSync(join(tmpdir(), 'test-files-'))
    for (const name of readdirSync(data)) if (name.startsWith('t10k')) copyFileSync(join(data, name), join(few, name))
    const file = join(few, 'predictions.csv')
    const evaluated = await call('evaluate', model, '--data', few, '--predictions', file)
    expect(evaluated).toMatchObject({ code: 0, text: expect.stringContaining(file) })
    const [head, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(head).toBe(`index,label,answer,${Array.from({ length: 10 }, (_, c) => `score${c}`).join(',')}`)
    const values = rows.map((row) => row.split(',').map(Number))
    expect(values.map(([index]) => index)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    for (const [, , answer, ...scores] of values) expect(scores.indexOf(Math.max(...scores))).toBe(answer)
    const right = values.filter(([, label, answer]) => label === answer).length
    expect(evaluated.text).toContain(`${right} of 40 right`)
    expect(await call('draw', model, '--data', few, '--out', few, '--digits', '3')).toMatchObject({ code: 0 })
    rmSync(few, { recursive: true })
  })

  it('draws', async () => {
    const pictures = join(out, 'pictures')
    expect(await call('draw', model, '--data', data, '--out', pictures, '--digits', '3,7')).toMatchObject({ code: 0 })
    expect(readdirSync(pictures).sort()).toEqual(
      ['raster', 'traces', 'windows'].map((name) => `mnist-lif-t2-${name}.svg`),
    )
    const missing = await call('draw', model, '--data', data, '--digits', '40', '--out', out)
    expect(missing).toEqual({ code: 2, text: 'draw: expected digits below 40, got 40' })
  })

  it('writes the page about models and tells when it is old', async () => {
    const models = join(out, 'models')
    mkdirSync(models)
    for (const ending of ['json', 'safetensors'])
      for (const name of ['mine', 'mine-too']) copyFileSync(`${model}.${ending}`, join(models, `${name}.${ending}`))
    expect((await call('card', models)).code).toBe(0)
    const card = readFileSync(join(models, 'README.md'), 'utf8')
    for (const text of ['| [mine](#mine) | LIF | 2 | none | 61,706 |', 'T = 2', 'seed 5', '30 epochs', 'of 40 right'])
      expect(card).toContain(text)
    expect(card.match(/^## mine.*/gm)).toEqual(['## mine', '## mine-too'])
    expect((await call('card', models, '--check')).code).toBe(0)
    writeFileSync(join(models, 'README.md'), `${card}!`)
    expect(await call('card', models, '--check')).toMatchObject({ code: 3 })
  })

  it('refuses a damaged model', async () => {
    const damaged = join(out, 'damaged')
    const weights = readFileSync(`${model}.safetensors`)
    weights[weights.length - 5]! ^= 1
    writeFileSync(`${damaged}.safetensors`, weights)
    copyFileSync(`${model}.json`, `${damaged}.json`)
    const ended = await call('evaluate', damaged, '--data', data)
    expect(ended).toEqual({ code: 3, text: expect.stringMatching(/^model: the weights are not those[^\n]*$/) })
  })

  it.each<[string, string[], number, RegExp]>([
    ['an unknown recipe', train('cifar'), 2, /expected one of mnist-lif-t2/],
    ['no such data', ['train', '--recipe', 'mnist-qif-t4', '--data', '/nowhere', '--out', out], 3, /\/nowhere/],
    ['no source', train('mnist-qif-t2-grid', '--from', join(out, 'gone')), 9, /gone\.json/],
    ['no model', ['evaluate', join(out, 'gone'), '--data', data], 9, /gone\.json/],
  ])('says what is wrong with %s', async (_, args, code, message) => {
    const ended = await call(...args)
    expect(ended.text).toMatch(message)
    expect(ended.text).not.toContain('\n')
    expect(ended.code).toBe(code)
  })

  it('says what is wrong with its usage, without a stack', async () => {
    const ended = await run(train('mnist-lif-t2', '--epochs', 'many'))
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: [^\n]*expected an integer >= 1\.\n$/),
    })
  })
})
