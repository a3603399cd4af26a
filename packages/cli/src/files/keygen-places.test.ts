import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { FileSystemError, InvalidArgumentError } from '@he-ml/ckks-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { judgePlaces, type KeygenPaths, secretBeside } from './keygen-places.ts'

let folder = ''
/** As text: join would take ".." away. */
const at = (name: string) => `${folder}/${name}`
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'he-ml-places-')))
})
afterEach(() => rm(folder, { recursive: true }))

const judge = ({ secret, evaluation, public: key, reuse }: KeygenPaths) =>
  judgePlaces({
    secret: at(secret),
    evaluation: at(evaluation),
    ...(key === undefined ? {} : { public: at(key) }),
    ...(reuse === undefined ? {} : { reuse }),
  })

async function refused(paths: KeygenPaths, says: RegExp, type: new (...a: never[]) => Error = InvalidArgumentError) {
  const before = await readdir(folder, { recursive: true })
  const error = await judge(paths).then(
    () => expect.unreachable(JSON.stringify(paths)),
    (e) => e,
  )
  expect(error, String(error)).toBeInstanceOf(type)
  expect(error.message).toMatch(says)
  expect(await readdir(folder, { recursive: true })).toEqual(before)
}

describe('where keygen writes', () => {
  it('is what was asked for, in folders that need not be there', async () => {
    const places = await judge({ secret: 'client/secret.key', evaluation: 'server/keys', public: 'public.key' })
    expect(places).toMatchObject({
      secret: { real: at('client/secret.key'), found: undefined },
      evaluation: { real: at('server/keys'), found: undefined },
      publicKey: { real: at('public.key'), found: undefined },
    })
    expect(await readdir(folder)).toEqual([])
    await judge({ secret: 'keys.secret', evaluation: 'keys' })
    await judge({ secret: '..secret', evaluation: 'keys' })
    await mkdir(at('empty'))
    await judge({ secret: 'secret', evaluation: 'empty' })
  })

  it.each<[string, KeygenPaths, RegExp]>([
    ['equal names', { secret: 'a', evaluation: 'e', public: 'a' }, /same place/],
    ['equal after "."', { secret: 'a', evaluation: 'e', public: './x/.././a' }, /same place/],
    ['secret = folder', { secret: 'a', evaluation: 'a' }, /the folder that the server gets/],
    ['secret deep in the folder', { secret: 'a/b/c', evaluation: 'a' }, /the folder that the server gets/],
    ['public = folder', { secret: 's', evaluation: 'a', public: 'a/' }, /evaluation keys alone/],
    ['public in the folder', { secret: 's', evaluation: 'a', public: 'a/keys.manifest' }, /evaluation keys alone/],
    ['folder in the secret', { secret: 'a', evaluation: 'a/keys' }, /which is to be a file/],
    ['public in the secret', { secret: 'a', evaluation: 'e', public: 'a/public' }, /which is to be a file/],
  ])('is refused: %s', (_, paths, says) => refused(paths, says))

  it('is judged after symbolic links: of files, of folders, of parents, with ".." behind them', async () => {
    await mkdir(at('server/keys'), { recursive: true })
    await mkdir(at('server/other'))
    await symlink(at('server/keys'), at('mine'))
    await symlink('server', at('also'))
    await refused({ secret: 'mine/secret.key', evaluation: 'server/keys' }, /the folder that the server gets/)
    await refused({ secret: 'server/keys/secret.key', evaluation: 'mine' }, /the folder that the server gets/)
    await refused({ secret: 'also/keys/s', evaluation: 'server/keys' }, /the folder that the server gets/)
    // the system leaves "mine/.." in server, whatever the text looks like
    await refused({ secret: 'mine/../keys/s', evaluation: 'server/keys' }, /the folder that the server gets/)
    await refused({ secret: 'also/new', evaluation: 'e', public: 'server/new' }, /same place/)
    const { secret } = await judge({ secret: 'mine/../other/s', evaluation: 'mine' })
    expect(secret.real).toBe(at('server/other/s'))
  })

  it('is refused through a link to nothing: what it will lead to is not known', async () => {
    await symlink(at('nowhere'), at('link'))
    await refused({ secret: 'link', evaluation: 'e' }, /symbolic link to nothing/)
    await refused({ secret: 's', evaluation: 'link' }, /symbolic link to nothing/)
    await refused({ secret: 'link/deeper', evaluation: 'e' }, /symbolic link to nothing/)
  })

  it('is refused where something is: a public key never takes the place of a secret one', async () => {
    await writeFile(at('there'), 'precious')
    await mkdir(at('full/inside'), { recursive: true })
    await refused({ secret: 'there', evaluation: 'e' }, /there exists.*--reuse/)
    await refused({ secret: 's', evaluation: 'e', public: 'there' }, /there exists/)
    await refused({ secret: 's', evaluation: 'full' }, /not empty/)
    await refused({ secret: 'there', evaluation: 'e', public: 'there', reuse: true }, /same place/)
    await symlink('there', at('link'))
    await refused({ secret: 'there', evaluation: 'e', public: 'link', reuse: true }, /same place/)
    await refused({ secret: 's', evaluation: 'e', public: 'link' }, /exists/)
    const { secret } = await judge({ secret: 'there', evaluation: 'full', reuse: true })
    expect(secret.found?.isFile()).toBe(true)
  })

  it('is refused where files stand for folders, folders for files, and pipes for either', async () => {
    await writeFile(at('file'), '')
    await mkdir(at('folder'))
    spawnSync('mkfifo', [at('pipe')])
    await refused({ secret: 'folder', evaluation: 'e', reuse: true }, /got a folder/, FileSystemError)
    await refused({ secret: 's', evaluation: 'e', public: 'folder' }, /got a folder/, FileSystemError)
    await refused({ secret: 's', evaluation: 'file' }, /expected a folder/, FileSystemError)
    await refused({ secret: 's', evaluation: 'file/keys' }, /ENOTDIR/, FileSystemError)
    await refused({ secret: 'file/s', evaluation: 'e' }, /ENOTDIR/, FileSystemError)
    await refused({ secret: 'pipe', evaluation: 'e', reuse: true }, /ordinary file/)
    await refused({ secret: 's', evaluation: 'pipe' }, /expected a folder/, FileSystemError)
  })

  it('may be given relative to the working folder', async () => {
    const here = relative(process.cwd(), folder)
    const places = await judgePlaces({ secret: join(here, 'x', '..', 's'), evaluation: join(here, 'e') })
    expect(places.secret.real).toBe(at('s'))
    await expect(judgePlaces({ secret: '', evaluation: 'e' })).rejects.toThrow(/empty path/)
  })

  it('takes a filled folder with the key that it belongs to alone', async () => {
    await mkdir(at('filled'))
    await writeFile(at('filled/galois-5.key'), 'of another key')
    await refused({ secret: 'nobody', evaluation: 'filled', reuse: true }, /filled exists and is not empty/)
    await writeFile(at('somebody'), 'key')
    await judge({ secret: 'somebody', evaluation: 'filled', reuse: true })
  })

  it('keeps the secret key out of what a server gets, unless somebody works there with a key already', async () => {
    await mkdir(at('server/keys'), { recursive: true })
    await writeFile(at('server/plan.json'), '{}')
    await refused({ secret: 'server/secret.key', evaluation: 'new' }, /lies in .*server, a folder that a server gets/)
    await refused({ secret: 'server/deep/secret.key', evaluation: 'new' }, /a folder that a server gets/)
    await mkdir(at('ours'))
    await writeFile(at('ours/keys.manifest'), '')
    await refused({ secret: 'ours/secret.key', evaluation: 'new' }, /lies in .*ours, a folder that a server gets/)
    // as in the README: the key beside, the plan anywhere
    await writeFile(at('plan.json'), '{}')
    await judge({ secret: 'client/secret.key', evaluation: 'server/more' })
    await judge({ secret: 'secret.key', evaluation: 'keys' })
    await mkdir(at('keys'))
    await mkdir(at('client'))
    await writeFile(at('client/secret.key'), 'key')
    await judge({ secret: 'client/secret.key', evaluation: 'keys', reuse: true })
    await judge({ secret: 'another.key', evaluation: 'otherKeys' })
  })

  it('warns of a secret key in the folder of the evaluation keys, unless that is where one works', async () => {
    const warning = async (secret: string, evaluation: string) => secretBeside(await judge({ secret, evaluation }))
    for (const secret of ['srv/secret.key', 'srv/mine/k', 'srv/x/../k'])
      expect(await warning(secret, 'srv/keys')).toContain(
        `${at(secret)} lies in ${at('srv')}, as the evaluation keys do: whoever is given that folder has the secret key`,
      )
    await mkdir(at('real'))
    await symlink('real', at('srv'))
    expect(await warning('srv/secret.key', 'real/keys')).toContain('has the secret key')
    for (const secret of ['client/secret.key', 'secret.key', 'srvs/k'])
      expect(await warning(secret, 'srv/keys')).toBe(undefined)
    // where one works there is everything
    const here = await judgePlaces({ secret: 'no-such.key', evaluation: 'no-such-keys' })
    expect(await secretBeside(here)).toBe(undefined)
  })
  it('has room for the ledger beside the secret key', async () => {
    await refused({ secret: 'a', evaluation: 'keys', public: 'a.ledger' }, /are the same place/)
    await refused({ secret: 'a', evaluation: 'keys', public: 'a.ledger.lock' }, /are the same place/)
    await refused({ secret: 'a', evaluation: 'a.ledger' }, /a\.ledger/)
    await writeFile(at('a.ledger'), 'of an older key')
    await refused({ secret: 'a', evaluation: 'keys' }, /the ledger of a key that was in/)
    await writeFile(at('a'), 'key')
    await judge({ secret: 'a', evaluation: 'keys', reuse: true })
  })
})
