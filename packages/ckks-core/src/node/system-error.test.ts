import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileSystemError, FormatError, UnsupportedError } from '../errors/errors.ts'
import { onFile, systemError } from './system-error.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-system-'))
  await writeFile(join(folder, 'file'), 'x')
})
afterAll(() => rm(folder, { recursive: true }))

/** The error of reading a path. */
const failure = (path: string): Promise<FileSystemError> =>
  onFile(path, readFile(path)).then(
    () => expect.unreachable(path),
    (error) => error,
  )

describe('systemError', () => {
  it.each([
    ['none', 'ENOENT', /no such file/],
    ['.', 'EISDIR', /expected a file, got a folder/],
    ['file/inside', 'ENOTDIR', /stands where the path needs a folder/],
    ['x'.repeat(300), 'ENAMETOOLONG', /name is too long/],
  ])('reading %s is %s, with the path', async (name, code, says) => {
    const path = join(folder, name)
    const error = await failure(path)
    expect(error).toBeInstanceOf(FileSystemError)
    expect(error).toMatchObject({ code: 'FileSystem', systemCode: code, path })
    expect(error.message).toMatch(says)
    expect(error.message.startsWith(`${path}: `)).toBe(true)
    expect(error.message.endsWith(`(${code})`)).toBe(true)
    expect(error.cause).toMatchObject({ code })
  })

  it('takes the path from the error where the caller has none, and keeps what it does not know', async () => {
    const path = join(folder, 'none')
    const error = await open(path).catch(systemError)
    expect(error).toMatchObject({ path, systemCode: 'ENOENT' })
    const odd = Object.assign(new Error('EODD: strange things, read'), { code: 'EODD', syscall: 'read' })
    expect(systemError(odd, 'x')).toMatchObject({ systemCode: 'EODD', message: 'x: EODD: strange things, read (EODD)' })
  })

  it('a file that is not read whole is not supported', () => {
    const large = Object.assign(new RangeError('File size is greater than 2 GiB'), { code: 'ERR_FS_FILE_TOO_LARGE' })
    expect(systemError(large, 'big')).toBeInstanceOf(UnsupportedError)
  })

  it('leaves other errors alone', () => {
    for (const error of [new FormatError('bad'), new TypeError('x'), 'text', undefined, { code: 'ENOENT' }])
      expect(systemError(error, 'x')).toBe(error)
  })
})
