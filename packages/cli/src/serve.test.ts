/** A server that stays, and several inputs for it, or for one run. */
import { once } from 'node:events'
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Folder, heMl, mustRun, start, temporaryFolder, writeInputs } from './cli.test-helper.ts'

const SIZE = { size: 6, channels: 2, blocks: 1 }

describe('several inputs', () => {
  let here: Folder
  const server = ['-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '--threads', '2']

  beforeAll(async () => {
    here = await temporaryFolder()
    await writeInputs(here, SIZE)
    const quiet = ['--quiet', '--scale-bits', '34', '--degree', '3', '--simulate', '0']
    await mustRun(here.path, 'plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', ...quiet)
    await mustRun(here.path, 'keygen', '-p', 'plan.json', '-s', 'client/secret.key', '-e', 'keys', '--quiet')
    await mkdir(here.at('results'))
    for (const i of [0, 1, 2])
      await mustRun(
        here.path,
        ...[
          'encrypt',
          '-p',
          'plan.json',
          '-k',
          'client/secret.key',
          '-d',
          'images.json',
          '-i',
          `${i}`,
          '-o',
          `${i}.ct`,
        ],
      )
  })
  afterAll(() => here[Symbol.asyncDispose]())

  const decrypted = async (file: string): Promise<number[]> => {
    const args = ['decrypt', '-p', 'plan.json', '-k', 'client/secret.key', '-i', file, '--json']
    return (await mustRun(here.path, ...args)).json<{ outputs: { values: number[] }[] }>().outputs[0]!.values
  }

  it('go to a server that loads its keys once, and are the same as in a process of their own', async () => {
    const serving = start(here.path, ['serve', ...server, '-s', 's.sock'])
    await serving.prints('listening at s.sock')
    // phases of their own
    await serving.says('loading keys')
    await serving.says('encoding weights')
    expect((await stat(here.at('s.sock'))).mode & 0o777).toBe(0o600)

    const sent = await mustRun(
      here.path,
      ...[
        'send',
        '-s',
        's.sock',
        '-i',
        '0.ct',
        '1.ct',
        '2.ct',
        '-o',
        'results',
        '-p',
        'plan.json',
        '--json',
        '--quiet',
      ],
    )
    expect(sent.json<{ results: { out: string }[] }>().results.map(({ out }) => out)).toEqual(
      [0, 1, 2].map((i) => `results/${i}.ct`),
    )
    await mustRun(here.path, 'run', ...server, '-i', '0.ct', '1.ct', '-o', 'results', '--quiet')
    await mustRun(here.path, 'send', '-s', 's.sock', '-i', '1.ct', '-o', 'sent.ct', '--quiet')
    await mustRun(here.path, 'run', ...server, '-i', '1.ct', '-o', 'ran.ct', '--quiet')
    const wanted = await decrypted('ran.ct')
    for (const file of ['sent.ct', 'results/1.ct']) {
      const values = await decrypted(file)
      expect(values.every((x, i) => Math.abs(x - wanted[i]!) < 2 ** -10)).toBe(true)
    }

    // what is wrong is one sender's business
    await writeFile(here.at('bad.ct'), (await readFile(here.at('0.ct'))).subarray(0, 5000))
    const bad = await heMl(here.path, 'send', '-s', 's.sock', '-i', 'bad.ct', '-o', 'x.ct')
    expect([bad.code, bad.stderr]).toEqual([3, expect.stringMatching(/FormatError/)])
    const second = await heMl(here.path, 'serve', ...server, '-s', 's.sock')
    expect([second.code, second.stderr]).toEqual([2, expect.stringMatching(/listens at s\.sock already/)])
    await mustRun(here.path, 'send', '-s', 's.sock', '-i', '2.ct', '-o', 'again.ct', '--quiet')

    serving.child.kill('SIGINT')
    const { code, stdout } = await serving.done
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^listening at s\.sock for plan [0-9a-f]{16}/)])
    const gone = await heMl(here.path, 'send', '-s', 's.sock', '-i', '0.ct', '-o', 'x.ct')
    expect([gone.code, gone.stderr]).toEqual([
      9,
      expect.stringMatching(/no server listens there: start one with he-ml serve/),
    ])
  })
  it('take over the socket of a server that was killed, and nothing else', async () => {
    const dead = start(here.path, ['serve', ...server, '-s', 'd.sock', '--json'])
    await dead.prints('"socket": "d.sock"')
    dead.child.kill('SIGKILL')
    await dead.done
    expect((await stat(here.at('d.sock'))).isSocket()).toBe(true)
    const serving = start(here.path, ['serve', ...server, '-s', 'd.sock'])
    await serving.prints('listening at d.sock')
    await mustRun(here.path, 'send', '-s', 'd.sock', '-i', '0.ct', '-o', 'x.ct', '--quiet')
    serving.child.kill('SIGTERM')
    expect((await serving.done).code).toBe(0)
    const small = await heMl(here.path, 'serve', ...server, '-s', 'e.sock', '--memory', '0.001')
    expect([small.code, small.stderr]).toEqual([8, expect.stringMatching(/MemoryError: .*--memory allows/)])
    const refused = await heMl(here.path, 'serve', ...server, '-s', '0.ct')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/0\.ct exists and is no socket/)])
  })
  it('fail as what the file system refuses when the server goes away before the result is there', async () => {
    const inputs = Array.from({ length: 24 }, (_, i) => `copy-${i}.ct`)
    for (const copy of inputs) await copyFile(here.at('0.ct'), here.at(copy))
    await mkdir(here.at('many'))
    for (const [signal, socket] of [
      ['SIGKILL', 'k.sock'],
      ['SIGTERM', 't.sock'],
    ] as const) {
      const serving = start(here.path, ['serve', ...server, '-s', socket])
      await serving.prints(`listening at ${socket}`)
      // results pass through this process, which hears of the first run before they can all have passed
      const via = `via-${socket}`
      const between = createServer((sender) => {
        const to = connect(here.at(socket))
        for (const end of [sender, to]) end.on('error', () => {})
        sender.pipe(to).pipe(sender)
      }).listen(here.at(via))
      await once(between, 'listening')
      const sending = start(here.path, ['send', '-s', via, '-i', ...inputs, '-o', 'many', '--json'])
      await sending.says('running')
      serving.child.kill(signal)
      await serving.done
      const { code, stderr, stdout } = await sending.done
      between.close()
      expect([code, stderr]).toEqual([9, expect.stringMatching(new RegExp(`${via}: the server ended the connection`))])
      expect(JSON.parse(stdout)).toMatchObject({ error: { name: 'FileSystemError', code: 'FileSystem', exitCode: 9 } })
      expect((await readdir(here.at('many'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
    }
  })
  it('make the folder of their results, and of a failure tell what was done before', async () => {
    await mustRun(here.path, 'run', ...server, '-i', '0.ct', '-o', 'one/deep/', '--quiet')
    expect(await readdir(here.at('one/deep'))).toEqual(['0.ct'])
    await writeFile(here.at('broken.ct'), (await readFile(here.at('1.ct'))).subarray(0, 5000))
    const serving = start(here.path, ['serve', ...server, '-s', 'f.sock'])
    await serving.prints('listening at f.sock')
    for (const [out, ...command] of [
      ['ran/here', 'run', ...server],
      ['sent/here', 'send', '-s', 'f.sock'],
    ] as const) {
      const inputs = ['0.ct', 'broken.ct', '1.ct']
      const { code, json } = await heMl(here.path, ...command, '-i', ...inputs, '-o', out, '--quiet', '--json')
      expect(code).toBe(3)
      expect(json()).toMatchObject({
        error: { name: 'FormatError', exitCode: 3 },
        results: [{ input: '0.ct', out: `${out}/0.ct`, bytes: expect.any(Number) }],
      })
      expect(await readdir(here.at(out))).toEqual(['0.ct'])
    }
    serving.child.kill('SIGTERM')
    await serving.done
  })
  it.each([
    [['-i', '0.ct', '1.ct', '-o', '2.ct'], /2\.ct is no folder: of 2 inputs the results go into one/],
    [['-i', '0.ct', './0.ct', '-o', 'results'], /two inputs are called 0\.ct/],
    [['-i', '0.ct', './0.ct', '-o', 'fresh/deep'], /two inputs are called 0\.ct/],
    [['-i', '0.ct', '1.ct', '-o', 'keys/fresh'], /holds evaluation keys alone/],
    [['-i', '0.ct', '1.ct', '-o', '.'], /0\.ct is 0\.ct, which this command needs/],
    [['-i', '0.ct', '1.ct', '-o', 'results', '--trace', 't.json'], /--trace is of one run/],
    [['-i', '0.ct', '1.ct', '-o', 'results', '--checkpoints', 'c'], /--checkpoints is of one run/],
  ])('of a run with %j are refused', async (args, said) => {
    const { code, stderr } = await heMl(here.path, 'run', ...server, ...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)])
    // not made for nothing
    await expect(stat(here.at('fresh'))).rejects.toThrow(/ENOENT/)
  })
})
