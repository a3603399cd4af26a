import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Folder, heMl, mustRun, temporaryFolder, writeInputs } from './cli.test-helper.ts'

describe('encrypted against clear, on the command line', () => {
  let here: Folder
  const flags = ['--threads', '2', '--quiet', '--scratch', '.']
  const subject = ['-p', 'plan.json', '-m', 'net.onnx', '-d', 'images.json']
  beforeAll(async () => {
    here = await temporaryFolder()
    await writeInputs(here, { size: 6, channels: 2, blocks: 1 })
    await mustRun(
      here.path,
      ...['plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', '--degree', '3', '--scale-bits', '34'],
      '--quiet',
    )
  })
  afterAll(() => here[Symbol.asyncDispose]())

  it('tells of every layer, draws it, and leaves nothing behind', async () => {
    const before = await readdir(here.path)
    const { json, stderr } = await mustRun(
      here.path,
      ...['diff', ...subject, '-i', '2', '--svg', 'diff.svg', '--json', ...flags],
    )
    expect(stderr).toBe('')
    const { images, values } = json<{
      images: number[]
      values: { task: string; bits: number; plannedBits: number }[]
    }>()
    expect(images).toEqual([2])
    const { report } = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as {
      report: { layers: { name: string; precisionBits: number }[] }
    }
    expect(values.map(({ task, plannedBits }) => [task, plannedBits])).toEqual(
      report.layers.map(({ name, precisionBits }) => [name, precisionBits]),
    )
    // 64 deviations of what is planned
    for (const { bits, plannedBits } of values) expect(bits).toBeGreaterThan(plannedBits - 6)
    const svg = await readFile(here.at('diff.svg'), 'utf8')
    for (const text of ['measured', 'planned', 'against the exact functions', ...values.map(({ task }) => task)])
      expect(svg).toContain(text)
    expect((await readdir(here.path)).filter((name) => !before.includes(name))).toEqual(['diff.svg'])
  })

  it('prints a table', async () => {
    const { stdout } = await mustRun(here.path, 'diff', ...subject, ...flags)
    expect(stdout).toMatch(/^after +kind +level +bits +planned +of range +of exact +worst element$/m)
    expect(stdout).toMatch(/^ {2}result: error 2\^-\d+\.\d against the polynomials in the clear, planned 2\^-\d+\.\d$/m)
  })

  it('refuses before any key is made', async () => {
    const many = await heMl(here.path, 'diff', ...subject, '-i', '0-1', ...flags)
    expect(many.stderr).toMatch(/the plan takes 1 image at a time, --index names 2/)
    const nowhere = await heMl(here.path, 'diff', ...subject, '--svg', 'no/such/folder.svg', ...flags)
    expect(nowhere.code).not.toBe(0)
    expect(nowhere.stderr).toContain('no/such')
    const itself = await heMl(here.path, 'diff', ...subject, '--svg', 'plan.json', ...flags)
    expect(itself.stderr).toMatch(/plan.json is plan.json, which this command needs/)
    const small = await heMl(here.path, 'diff', ...subject, '--memory', '0.001', ...flags)
    expect(small.stderr).toMatch(/--memory allows 1\.00 MB/)
    expect((await readdir(here.path)).some((name) => name.startsWith('he-ml-diff-'))).toBe(false)
  })
})
