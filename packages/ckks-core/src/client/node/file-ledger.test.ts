import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileSystemError, FormatError, SecurityError } from '../../errors/errors.ts'
import { contract } from '../client.test-helper.ts'
import { countQuery } from '../ledger/count-query.ts'
import { rememberRequest } from '../ledger/remember-request.ts'
import { createKeyId } from '../secret-key.ts'
import { FileLedger, ledgerPath } from './file-ledger.ts'
import { holdAndDie } from './lock-file.test-helper.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-ledger-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const request = createKeyId()
const wish = { queries: 5, statisticalBits: 10, numbers: 1, precisionBits: -99, request }
let made = 0
async function begun(used = 0): Promise<FileLedger> {
  const path = ledgerPath(join(folder, `${made++}.key`))
  const ledger = await FileLedger.start(path, { keyId: createKeyId(), contract, used })
  await ledger.update((s) => rememberRequest(s, { id: request }))
  return ledger
}
const take = (ledger: FileLedger) => ledger.update((s) => countQuery(s, wish))

describe('a ledger in a file', () => {
  it('is for its owner alone, whole, and the same for whoever opens it', async () => {
    const ledger = await begun(2)
    expect((await stat(ledger.path)).mode & 0o777).toBe(0o600)
    await chmod(ledger.path, 0o644)
    await take(ledger)
    expect((await stat(ledger.path)).mode & 0o777).toBe(0o600)
    expect((await new FileLedger(ledger.path).read()).used).toBe(3)
    expect((await readdir(folder)).filter((n) => /tmp$|lock$/.test(n))).toEqual([])
  })
  it('missing is refused and not begun in silence', async () => {
    const ledger = new FileLedger(join(folder, 'none.ledger'))
    await expect(ledger.read()).rejects.toThrow(/is missing.*begin another/s)
    await expect(take(ledger)).rejects.toThrow(SecurityError)
    await expect(stat(ledger.path)).rejects.toThrow(/ENOENT/)
  })
  it('is never begun again, nor over a damaged one', async () => {
    const ledger = await begun()
    const start = { keyId: (await ledger.read()).keyId, contract, used: 0 }
    await expect(FileLedger.start(ledger.path, start)).rejects.toThrow(/exists/)
    const text = await readFile(ledger.path, 'utf8')
    for (const bad of ['', text.slice(0, -20), text.replace('"used":0', '"used":1'), `${text}${text}`]) {
      await writeFile(ledger.path, bad)
      await expect(ledger.read()).rejects.toThrow(FormatError)
      await expect(take(ledger)).rejects.toThrow(/Put back a copy/)
      await expect(FileLedger.start(ledger.path, start)).rejects.toThrow(SecurityError)
      expect(await readFile(ledger.path, 'utf8')).toBe(bad)
    }
  })
  it('is an ordinary file', async () => {
    const ledger = await begun()
    const link = join(folder, 'link.ledger')
    await symlink(ledger.path, link)
    await expect(new FileLedger(link).read()).rejects.toThrow(
      /link\.ledger: expected an ordinary file, got a symbolic link/,
    )
    const own = join(folder, 'folder.ledger')
    await mkdir(own)
    await expect(new FileLedger(own).read()).rejects.toThrow(FileSystemError)
    const large = join(folder, 'large.ledger')
    await writeFile(large, '')
    await truncate(large, 2 ** 40)
    await expect(new FileLedger(large).read()).rejects.toThrow(
      /^\S+large\.ledger: a ledger has at most .*Put back a copy/,
    )
    const pipe = join(folder, 'pipe.ledger')
    if (spawnSync('mkfifo', [pipe]).status !== 0) return console.log('skipped: no named pipes here')
    await expect(new FileLedger(pipe).read()).rejects.toThrow(/a named pipe/)
  })
  it('in a folder that is not there names its lock', async () => {
    const ledger = new FileLedger(join(folder, 'absent', 'a.ledger'))
    await expect(take(ledger)).rejects.toThrow(FileSystemError)
  })
  it('refused leaves it as it was', async () => {
    const ledger = await begun()
    const before = await readFile(ledger.path)
    await expect(ledger.update((s) => countQuery(s, { ...wish, request: createKeyId() }))).rejects.toThrow(
      /does not know/,
    )
    expect(await readFile(ledger.path)).toEqual(before)
  })
  it.skipIf(process.platform !== 'linux')('takes over the lock of a process that was killed', async () => {
    const ledger = await begun()
    const lock = `${ledger.path}.lock`
    await holdAndDie(lock)
    expect(await readFile(lock, 'utf8')).toMatch(/^process \d+ on /)
    await take(ledger)
    expect((await ledger.read()).used).toBe(1)
    await expect(stat(lock)).rejects.toThrow(/ENOENT/)
  })
})

describe('many at once', () => {
  it('in one process never take more than there is', async () => {
    const ledger = await begun()
    const others = Array.from({ length: 12 }, () => take(new FileLedger(ledger.path)))
    const ends = await Promise.allSettled(others)
    expect(ends.filter((e) => e.status === 'fulfilled')).toHaveLength(5)
    expect((await ledger.read()).used).toBe(5)
  })
  it('in several processes never take more than there is', async () => {
    const ledger = await begun()
    const ends = await Promise.all(Array.from({ length: 4 }, () => child(ledger.path, request)))
    expect(ends.map((e) => e.refused + e.taken)).toEqual([3, 3, 3, 3])
    expect(ends.reduce((sum, e) => sum + e.taken, 0)).toBe(5)
    expect((await ledger.read()).used).toBe(5)
  })
})

/** A process that tries to take three queries. */
async function child(path: string, id: string): Promise<{ taken: number; refused: number }> {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
  const code = `
    import { FileLedger } from ${at('./file-ledger.ts')}
    import { countQuery } from ${at('../ledger/count-query.ts')}
    const wish = { queries: 5, statisticalBits: 10, numbers: 1, precisionBits: -99, request: '${id}' }
    let taken = 0, refused = 0
    for (let i = 0; i < 3; i++)
      await new FileLedger(${JSON.stringify(path)}).update((s) => countQuery(s, wish)).then(() => taken++, () => refused++)
    console.log(JSON.stringify({ taken, refused }))`
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const args = ['--conditions=@he-ml/source', '--import', tsx, '--input-type=module', '-e', code]
  const process_ = spawn(process.execPath, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) })
  let out = ''
  let said = ''
  process_.stdout.on('data', (d) => {
    out += d
  })
  process_.stderr.on('data', (d) => {
    said += d
  })
  await new Promise((resolve) => process_.on('close', resolve))
  if (said !== '') throw new Error(said)
  return JSON.parse(out)
}
