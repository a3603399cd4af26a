import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { DisposedError, FileSystemError } from '@he-ml/ckks-core'
import { DatasetFileError, DatasetFormatError, DatasetUnsupportedError } from '@he-ml/datasets'
import { type Plan, planDigest } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildOnnx } from '../../model-import/src/testing/build-onnx.ts'
import { COMMAND, type Folder, heMl, mustRun, network, temporaryFolder, writeInputs } from './cli.test-helper.ts'
import { exitCodeOf } from './exit-codes.ts'

const SIZE = { size: 6, channels: 1, blocks: 1 }
let here: Folder

/** What `plan --json` prints. */
interface PlanOutput {
  readonly report: Plan['report']
  readonly memory: { readonly peakBytes: number; readonly machineBytes: number }
  readonly warnings: readonly string[]
}

const planning = (...more: string[]) => ['plan', '-m', 'net.onnx', '-d', 'images.json', '-q', '--degree', '3', ...more]
const running = (folder: string, ...more: string[]) => [
  ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', folder, '-i', 'in.ct', '-o', 'out.ct', '-q', ...more],
]
/** Arguments with one file exchanged for another. */
const instead = (args: readonly string[], from: string, to: string): string[] => args.map((a) => (a === from ? to : a))
const encrypting = (data: string, ...more: string[]) => [
  ...['encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', data, '-o', 'other.ct', ...more],
]
const keygen = (plan: string, secret: string, folder: string, ...more: string[]) => [
  ...['keygen', '-p', plan, '-s', secret, '-e', folder, '-q', ...more],
]

/** Ends with the code, names what is wrong, and leaves no result. */
async function fails(code: number, says: RegExp, args: readonly string[]): Promise<void> {
  const result = await heMl(here.path, ...args)
  expect(result.stderr, `code ${result.code}, signal ${result.signal}`).toMatch(says)
  expect(result.code, result.stderr).toBe(code)
  expect(result.stdout).toBe('')
  // a message for people; only defects of ours show a stack
  expect(result.stderr).not.toMatch(/^\s+at /m)
}

beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, SIZE)
  await writeFile(here.at('other.onnx'), network(SIZE, 2))
  await writeFile(here.at('huge.json'), JSON.stringify(new Array(36).fill(1e30)))
  await writeFile(here.at('broken.json'), '[1, 2')
  await mustRun(here.path, ...planning('-o', 'plan.json'))
  await Promise.all([
    mustRun(here.path, ...planning('-o', 'plan2.json', '--scale-bits', '30')),
    mustRun(here.path, ...keygen('plan.json', 'secret.key', 'keys')),
    mustRun(here.path, ...keygen('plan.json', 'secret2.key', 'keys2')),
  ])
  await Promise.all([
    mustRun(here.path, ...keygen('plan2.json', 'secret3.key', 'keys3')),
    mustRun(here.path, 'encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json', '-o', 'in.ct'),
  ])
  // eight processes: a minute or two where other work keeps the cores busy
})
afterAll(() => here[Symbol.asyncDispose]())

describe.concurrent('exit codes of real failures', () => {
  it('2: unknown options and arguments that make no sense', async () => {
    await fails(2, /unknown option '--fast'/, ['inspect', 'x', '--fast'])
    await fails(2, /unknown command 'rn'/, ['rn'])
    await fails(
      2,
      /--batch is for --packing batch/,
      planning('-o', 'x.json', '--packing', 'multiplexed', '--batch', '4'),
    )
    const three = planning('-o', 'x.json', '--packing', 'batch', '--batch', '3')
    await fails(2, /a batch of 3: batch packing takes a power of two; use 4/, three)
    for (const option of ['--refresh-levels 7', '--bootstrapping always'])
      await fails(2, /SEAL does not bootstrap/, planning('-o', 'x.json', '--engine', 'seal', ...option.split(' ')))
    await fails(2, /from 0 to 7, got "8"/, encrypting('images.json', '-i', '8'))
    await fails(2, /calibrated for real values from .*--allow-out-of-range/, encrypting('huge.json'))
    await fails(2, /too large for scale/, encrypting('huge.json', '--allow-out-of-range'))
  })

  it('2: a secret key is not overwritten, nor put into the folder for the server', async () => {
    const before = await readFile(here.at('secret.key'))
    await fails(2, /secret\.key exists.*--reuse/, keygen('plan.json', 'secret.key', 'keys4'))
    expect(await readFile(here.at('secret.key'))).toEqual(before)
    await fails(2, /the folder that the server gets/, keygen('plan.json', 'keys4/secret.key', 'keys4'))
  })

  it('3: a plan that was changed, a key file with one bit flipped, images that are not JSON', async () => {
    const text = await readFile(here.at('plan.json'), 'utf8')
    await writeFile(here.at('changed.json'), text.replace('"batch": 1', '"batch": 2'))
    await writeFile(here.at('cut.json'), text.slice(0, -10))
    await fails(3, /changed\.json: .*changed after it was made/, ['inspect', 'changed.json'])
    await fails(3, /cut\.json: .*not JSON/, ['inspect', 'cut.json'])
    await cp(here.at('keys'), here.at('tampered'), { recursive: true })
    const name = here.at('tampered', 'relinearization.key')
    const bytes = await readFile(name)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(name, bytes)
    await fails(3, /relinearization\.key: .*checksum does not match/, running('tampered'))
    await fails(3, /broken\.json: not JSON/, encrypting('broken.json'))
  })

  it('4: keys, models and ciphertexts that do not belong together', async () => {
    await fails(4, /header\.(plan|parameters)/, running('keys3'))
    // every file that does not fit is named
    await fails(4, /in\.ct: .*secret key .*the evaluation keys keys2.*plan\.json/, running('keys2'))
    await fails(
      4,
      /made for model "net".*the plan plan\.json, the model other\.onnx/,
      instead(running('keys'), 'net.onnx', 'other.onnx'),
    )
    await fails(4, /result's keyId.*the result in\.ct, the secret key secret2\.key/, [
      'decrypt',
      '-p',
      'plan.json',
      '-k',
      'secret2.key',
      '-i',
      'in.ct',
    ])
    // an input is no result
    await fails(4, /result's (level|scale)/, ['decrypt', '-p', 'plan.json', '-k', 'secret.key', '-i', 'in.ct'])
    await fails(4, /one key serves one plan/, ['decrypt', '-p', 'plan2.json', '-k', 'secret.key', '-i', 'in.ct'])
    await fails(4, /one key serves one plan/, instead(encrypting('images.json'), 'plan.json', 'plan2.json'))
    await fails(4, /one key serves one plan/, keygen('plan2.json', 'secret.key', 'keys8', '--reuse'))
  })

  it('5: parameters below 128 bits, even with a true content hash', async () => {
    const plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
    const weak = { ...plan, parameters: { ...plan.parameters, logN: plan.parameters.logN - 1 } }
    await writeFile(here.at('weak.json'), JSON.stringify({ ...weak, id: planDigest(weak) }))
    await fails(5, /SecurityError.*128/s, keygen('weak.json', 'weak.key', 'weak'))
    await fails(5, /SecurityError/, instead(running('keys'), 'plan.json', 'weak.json'))
  })

  it('6: no plan: memory, security, no calibration', async () => {
    await fails(6, /the limit is/, planning('-o', 'no.json', '--memory', '0.0001'))
    await fails(6, /128-bit secure|levels|log2\(QP\)/, planning('-o', 'no.json', '--scale-bits', '60', '--log-n', '12'))
    await fails(6, /--data/, ['plan', '-m', 'net.onnx', '-o', 'no.json'])
    await expect(readFile(here.at('no.json'))).rejects.toThrow(/ENOENT/)
  })

  it('7: keys that are not all there', async () => {
    await cp(here.at('keys'), here.at('partial'), { recursive: true })
    await rm(here.at('partial', 'keys.manifest'))
    await fails(7, /keys are not complete.*--reuse/, running('partial'))
    await cp(here.at('keys'), here.at('lost'), { recursive: true })
    await rm(here.at('lost', 'relinearization.key'))
    await fails(7, /relinearization\.key is missing, though the manifest lists it/, running('lost'))
  })

  it('8: a memory ceiling below what the plan needs, said before anything is loaded', async () => {
    await fails(8, /expects a peak of .*--memory allows/, running('keys', '--memory', '0.001'))
  })

  it('8: a plan that needs more than this machine has', async () => {
    const plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
    const memory = { ...plan.report.memory, peakBytes: 2 ** 50, leanPeakBytes: 2 ** 49 }
    const vast = { ...plan, report: { ...plan.report, memory } }
    await writeFile(here.at('vast.json'), JSON.stringify({ ...vast, id: planDigest(vast) }))
    await fails(8, /peak of 562.*TB.*this machine has/, instead(running('keys'), 'plan.json', 'vast.json'))
  })

  it('plan tells, and run judges, the peak of runs that drop weights', async () => {
    const { report, memory, warnings } = (
      await mustRun(here.path, ...planning('-o', 'lean.json', '--json'))
    ).json<PlanOutput>()
    expect(memory.peakBytes).toBe(report.memory.leanPeakBytes)
    expect(memory.machineBytes).toBeGreaterThan(2 ** 28)
    expect(warnings).toEqual([])
    const plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
    const heavy = { ...plan, report: { ...plan.report, memory: { ...plan.report.memory, peakBytes: 2 ** 50 } } }
    await writeFile(here.at('heavy.json'), JSON.stringify({ ...heavy, id: planDigest(heavy) }))
    // past the question of memory: the keys are for the plan before it was changed
    await fails(4, /header\.plan/, instead(running('keys', '--memory', '1'), 'plan.json', 'heavy.json'))
  })

  it('9: files that are missing, and folders that cannot take the result, said before the work', async () => {
    await fails(9, /FileSystemError: nowhere\.key: no such file.*\(ENOENT\)/, ['inspect', 'nowhere.key'])
    await fails(9, /keys9: no such file.*\(ENOENT\)/, running('keys9'))
    await fails(9, /absent: no such file.*\(ENOENT\)/, instead(running('keys'), 'out.ct', 'absent/out.ct'))
    await fails(9, /plan\.json.*\((ENOTDIR|EEXIST)\)/, keygen('plan.json', 'new.key', 'plan.json'))
    await expect(readFile(here.at('new.key'))).rejects.toThrow(/ENOENT/)
  })

  it('9: a folder where a file should be, with its name, wherever a file is read', async () => {
    await mkdir(here.at('folder.onnx'))
    await mkdir(here.at('folder.json'))
    const folder = (name: string) => new RegExp(`${name}: expected a file, got a folder.*\\(EISDIR\\)`)
    await fails(9, folder('folder.json'), ['inspect', 'folder.json'])
    await fails(9, folder('folder.onnx'), ['inspect', 'folder.onnx'])
    await fails(9, folder('folder.onnx'), instead(planning('-o', 'x.json'), 'net.onnx', 'folder.onnx'))
    await fails(9, folder('folder.json'), planning('-o', 'x.json', '--machine', 'folder.json'))
    await fails(9, folder('folder.json'), instead(encrypting('images.json'), 'plan.json', 'folder.json'))
    await fails(9, folder('keys'), instead(encrypting('images.json'), 'secret.key', 'keys'))
    await fails(9, folder('folder.json'), instead(running('keys'), 'in.ct', 'folder.json'))
    await fails(9, /images\.json.*\(ENOTDIR\)/, encrypting('images.json/7'))
    await fails(2, /folder\.json is a folder/, planning('-o', 'folder.json'))
  })

  it('9: what may not be read is no broken file', async () => {
    const locked = here.at('locked.json')
    await writeFile(locked, '[]', { mode: 0 })
    // root reads everything
    const allowed = await readFile(locked).then(
      () => true,
      () => false,
    )
    if (allowed) console.log('skipped: this user may read every file')
    else await fails(9, /locked\.json: permission denied.*\(EACCES\)/, encrypting('locked.json'))
  })

  it('3: a model that is none, whatever its name', async () => {
    await fails(3, /images\.json: ONNX/, ['plan', '-m', 'images.json', '-o', 'x.json'])
  })

  it('10: operators that have no encrypted twin', async () => {
    const nodes = [{ op: 'LSTM', inputs: ['x'], output: 'y' }]
    await writeFile(here.at('lstm.onnx'), buildOnnx({ input: [1, 1, 6, 6], nodes }))
    await fails(10, /LSTM/, ['plan', '-m', 'lstm.onnx', '-o', 'x.json'])
    await fails(10, /lstm\.onnx: .*LSTM/, ['inspect', 'lstm.onnx'])
  })

  it('11: a level or a scale that the parameters do not have', async () => {
    const plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
    const high = { ...plan, input: { ...plan.input, level: 99 } }
    await writeFile(here.at('high.json'), JSON.stringify({ ...high, id: planDigest(high) }))
    await mustRun(here.path, ...keygen('high.json', 'high.key', 'highKeys'))
    const encrypt = ['encrypt', '-p', 'high.json', '-k', 'high.key', '-d', 'images.json', '-o', 'other.ct']
    await fails(11, /level/, encrypt)
  })
})

// one after the other: each is many processes, and a loaded machine takes seconds for one
describe('refusals before any work', () => {
  it('2: keygen writes nothing at all when its request is bad', async () => {
    const before = await readdir(here.path)
    const secret = await readFile(here.at('secret.key'))
    await fails(2, /same place/, keygen('plan.json', 'new1.key', 'keys5', '--public', './keys/../new1.key'))
    await fails(2, /secret\.key exists/, keygen('plan.json', 'new1.key', 'keys5', '--public', 'secret.key'))
    await fails(2, /same place/, keygen('plan.json', 'secret.key', 'keys5', '--public', 'secret.key', '--reuse'))
    await fails(2, /not empty/, keygen('plan.json', 'new1.key', 'keys'))
    await fails(3, /not JSON/, keygen('broken.json', 'new1.key', 'keys5', '--public', 'new1.pub'))
    const names = (await readdir(here.path)).filter((name) => /^(new1|keys5)/.test(name))
    expect(names).toEqual([])
    expect(before).toContain('secret.key')
    expect(await readFile(here.at('secret.key'))).toEqual(secret)
  })

  it('2: pipes where files should be: no command waits', async () => {
    spawnSync('mkfifo', [here.at('pipe'), here.at('pipe.json'), here.at('pipe.onnx')])
    const says = /pipe(\.json|\.onnx)?: expected an ordinary file, got a named pipe/
    await fails(2, says, instead(running('keys'), 'in.ct', 'pipe'))
    await fails(2, says, instead(running('keys'), 'plan.json', 'pipe'))
    await fails(2, says, instead(running('keys'), 'net.onnx', 'pipe.onnx'))
    await fails(2, says, encrypting('pipe'))
    await fails(2, says, encrypting('pipe.json'))
    await fails(2, says, instead(encrypting('images.json'), 'secret.key', 'pipe'))
    await fails(2, says, ['decrypt', '-p', 'plan.json', '-k', 'secret.key', '-i', 'pipe'])
    await fails(2, says, planning('-o', 'x.json', '--machine', 'pipe'))
    await fails(2, says, ['inspect', 'pipe'])
  })

  it('3: files larger than they can be, said before they are read', async () => {
    await writeFile(here.at('huge.ct'), '')
    await truncate(here.at('huge.ct'), 2 ** 43)
    await fails(3, /huge\.ct: an encrypted input has at most/, instead(running('keys'), 'in.ct', 'huge.ct'))
    await fails(3, /huge\.ct: a plan has at most/, instead(running('keys'), 'plan.json', 'huge.ct'))
    await fails(
      3,
      /huge\.ct: a key of this plan has at most/,
      instead(encrypting('images.json'), 'secret.key', 'huge.ct'),
    )
    await fails(3, /huge\.ct: an encrypted result has at most/, [
      ...['decrypt', '-p', 'plan.json', '-k', 'secret.key', '-i', 'huge.ct'],
    ])
  })
})

describe('exitCodeOf', () => {
  it('is 1 for defects', () => {
    for (const error of [new DisposedError('used'), new TypeError('x is not a function'), undefined, 'text'])
      expect(exitCodeOf(error)).toBe(1)
  })
  it('is 9 for whatever the system answers', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'ELOOP', 'ENAMETOOLONG', 'EFBIG'])
      expect(exitCodeOf(Object.assign(new Error(code), { code, syscall: 'write' }))).toBe(9)
    expect(exitCodeOf(new FileSystemError('x', 'EISDIR', 'expected a file'))).toBe(9)
  })
  it('tells malformed data sets from unsupported ones', () => {
    expect(exitCodeOf(new DatasetFormatError('cut'))).toBe(3)
    expect(exitCodeOf(new DatasetUnsupportedError('larger than the limit'))).toBe(10)
    expect(exitCodeOf(new DatasetFileError({ path: 'x', code: 'EISDIR', syscall: 'read' }, 'a folder'))).toBe(9)
  })
  it('is 10 for files that are too large to be read whole', () => {
    expect(exitCodeOf(Object.assign(new RangeError('large'), { code: 'ERR_FS_FILE_TOO_LARGE' }))).toBe(10)
  })
  it.skipIf(!existsSync('/dev/full'))('is 9 where the document finds no room on stdout, without a stack', () => {
    const full = openSync('/dev/full', 'w')
    const [command, ...args] = [...COMMAND, '--help']
    const { status, stderr } = spawnSync(command!, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    closeSync(full)
    expect(status).toBe(9)
    expect(stderr).toMatch(/^he-ml: FileSystemError: stdout: .*ENOSPC.*\n$/)
  })
})
