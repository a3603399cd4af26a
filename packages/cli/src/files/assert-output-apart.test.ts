import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assertOutputApart } from './assert-output-apart.ts'

let folder = ''
const at = (name: string) => `${folder}/${name}`
beforeAll(async () => {
  folder = await realpath(await mkdtemp(`${tmpdir()}/he-ml-apart-`))
  await mkdir(at('keys'))
  for (const name of ['secret.key', 'secret.key.ledger', 'in.ct', 'old.ct']) await writeFile(at(name), name)
  await symlink('in.ct', at('link.ct'))
  await symlink('keys', at('folder'))
  await link(at('in.ct'), at('hard.ct'))
  await mkdir(at('results'))
  execFileSync('mkfifo', [at('pipe')])
})
afterAll(() => rm(folder, { recursive: true }))

const apart = (out: string) => assertOutputApart(at(out), { files: [at('in.ct'), undefined], folders: [at('keys')] })

describe('an output', () => {
  it.each([
    ['what is read', 'in.ct', /which this command needs/],
    ['the same by another way', 'keys/../in.ct', /which this command needs/],
    ['a symbolic link to it', 'link.ct', /which this command needs/],
    ['a hard link to it', 'hard.ct', /which this command needs/],
    ['the key folder', 'keys', /evaluation keys alone/],
    ['a name in the key folder', 'folder/keys.manifest', /evaluation keys alone/],
    ['another secret key', 'secret.key', /is a secret key with its ledger/],
    ['a ledger', 'secret.key.ledger', /the ledger of a secret key/],
    ['a pipe', 'pipe', /is a device, a pipe or a socket/],
    ['a folder', 'results', /is a folder: name a file/],
  ])('is refused where it would take the place of %s', (_, out, says) => expect(apart(out)).rejects.toThrow(says))

  it('takes any other name, an older result included', async () => {
    await apart('new.ct')
    await apart('old.ct')
    await apart('new.key.ledger')
    await assertOutputApart(undefined, {})
  })
})
