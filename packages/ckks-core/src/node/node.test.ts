import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileSystemError, FormatError, InvalidArgumentError } from '../errors/errors.ts'
import type { FileKind } from '../format/header.ts'
import { sampleFile, sampleParameters, samples } from '../format/testing/samples.ts'
import { AtomicFile, openContainerFile, readContainerFile, writeContainerFile, writeFileAtomic } from './index.ts'

const kinds = Object.keys(samples) as FileKind[]
const parameters = sampleParameters
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-format-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('container files', () => {
  it.each(kinds)('%s: streaming writes the same bytes, and reads them back', async (kind) => {
    const path = join(folder, 'file')
    const { header, segments } = samples[kind]
    const pieces = segments.map((s) => ({ bytes: s.length, chunks: [s.subarray(0, 5), s.subarray(5)] }))
    const written = await writeContainerFile(path, header, pieces, { parameters })
    const bytes = await readFile(path)
    expect(new Uint8Array(bytes)).toEqual(sampleFile(kind))
    expect(written).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
    const back = await readContainerFile(path, { kind, parameters }, { sha256: written.sha256 })
    expect(back.segments).toEqual(segments)
    await expect(readContainerFile(path, { parameters }, { sha256: '00'.repeat(32) })).rejects.toThrow(/SHA-256/)
    expect((await stat(path)).mode & 0o777).toBe(kind === 'secretKey' ? 0o600 : 0o644)
  })

  it.each(kinds)('%s: cut or damaged files are refused by name', async (kind) => {
    const path = join(folder, 'file')
    const good = sampleFile(kind)
    for (const at of [0, 3, 20, 70, good.length - 40, good.length - 1]) {
      await writeFile(path, good)
      await truncate(path, at)
      await expect(readContainerFile(path, { parameters })).rejects.toThrow(FormatError)
      const bad = good.slice()
      bad[at]! ^= 16
      await writeFile(path, bad)
      await expect(readContainerFile(path, { parameters })).rejects.toThrow(path)
    }
  })

  it('is read in ranges without the rest', async () => {
    const path = join(folder, 'file')
    await writeFile(path, sampleFile('galoisKey'))
    await using file = await openContainerFile(path, { kind: 'galoisKey', parameters })
    const into = new Uint8Array(100)
    await file.read(0, 6144, into)
    expect(into).toEqual(samples.galoisKey.segments[0]!.slice(6144, 6244))
    await expect(file.read(0, 2 ** 40, into)).rejects.toThrow(InvalidArgumentError)
    await expect(file.verify({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/)
  })

  it('of several pieces: each goes to its place and counts for the checksum', async () => {
    const path = join(folder, 'file')
    const values = Float64Array.from({ length: 1_200_000 }, (_, i) => Math.sin(i))
    const segment = new Uint8Array(values.buffer)
    const header = {
      kind: 'result',
      parameters: parameters.id,
      tensors: [{ name: 'y', shape: [values.length], complex: false }],
    } as const
    const written = await writeContainerFile(path, header, [{ bytes: segment.length, chunks: [segment] }], {
      parameters,
    })
    const into = [new Uint8Array(segment.length)]
    await using file = await openContainerFile(path, { kind: 'result', parameters })
    expect(await file.verify({ into })).toBe(written.sha256)
    expect(createHash('sha256').update(into[0]!).digest()).toEqual(createHash('sha256').update(segment).digest())
    const { offset } = file.layout.segments[0]!
    for (const at of [offset, offset + segment.length / 2, offset + segment.length - 1]) {
      const handle = await open(path, 'r+')
      const [was] = (await handle.read(new Uint8Array(1), 0, 1, at)).buffer
      await handle.write(Uint8Array.of(was! ^ 1), 0, 1, at)
      await expect(file.verify({ into })).rejects.toThrow(/checksum/)
      await handle.write(Uint8Array.of(was!), 0, 1, at)
      await handle.close()
    }
    const stop = new AbortController()
    const stopped = file.verify({ into, signal: stop.signal })
    stop.abort()
    await expect(stopped).rejects.toThrow(/abort/)
  })

  it('refuses folders and missing files', async () => {
    await expect(readContainerFile(folder)).rejects.toThrow()
    await expect(readContainerFile(join(folder, 'none'))).rejects.toThrow(/ENOENT/)
  })
})

describe('nothing is written half', () => {
  it('a failing source leaves the old file and no temporary one', async () => {
    const path = join(folder, 'file')
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3))
    const { header, segments } = samples.publicKey
    const failing = async function* () {
      yield segments[0]!.subarray(0, 100)
      throw new Error('ENOSPC: no space left on device')
    }
    const sources = [failing(), [segments[0]!.subarray(1)], [segments[0]!, segments[0]!]]
    for (const chunks of sources)
      await expect(
        writeContainerFile(path, header, [{ bytes: segments[0]!.length, chunks }], { parameters }),
      ).rejects.toThrow(/ENOSPC|expected/)
    expect(await readdir(folder)).toEqual(['file'])
    expect([...(await readFile(path))]).toEqual([1, 2, 3])
  })

  it('a full disk removes the temporary file', async () => {
    const probe = await open(join(folder, 'probe'), 'w')
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    for (const step of ['write', 'sync', 'chmod'] as const) {
      const failing = vi.spyOn(Object.getPrototypeOf(probe), step).mockRejectedValue(full)
      await expect(writeFileAtomic(join(folder, 'file'), Uint8Array.of(1))).rejects.toThrow(full)
      failing.mockRestore()
    }
    await probe.close()
    expect(await readdir(folder)).toEqual(['probe'])
  })

  it('overwrite: false never replaces, not even what came while it was written', async () => {
    const path = join(folder, 'file')
    await writeFileAtomic(path, Uint8Array.of(1), { overwrite: false, mode: 0o600 })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await expect(writeFileAtomic(path, Uint8Array.of(2), { overwrite: false })).rejects.toThrow(/EEXIST/)
    const late = join(folder, 'late')
    const file = await AtomicFile.create(late, { overwrite: false })
    await file.write(Uint8Array.of(3))
    await writeFile(late, Uint8Array.of(4))
    await expect(file.commit()).rejects.toThrow(/EEXIST/)
    expect([...(await readFile(late))]).toEqual([4])
    expect([...(await readFile(path))]).toEqual([1])
    expect((await readdir(folder)).sort()).toEqual(['file', 'late'])
  })

  it('never take the place of a folder, a device or a pipe, by a link neither', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await symlink(pipe, join(folder, 'link'))
    await mkdir(join(folder, 'inner'))
    for (const [name, says] of [
      ['pipe', /pipe: is a device, a pipe or a socket.*\(EEXIST\)/],
      ['link', /link: is a device, a pipe or a socket/],
      ['inner', /inner: is a folder: name a file \(EISDIR\)/],
    ] as const) {
      const writing = writeFileAtomic(join(folder, name), Uint8Array.of(1))
      await expect(writing).rejects.toThrow(FileSystemError)
      await expect(writing).rejects.toThrow(says)
    }
    expect((await stat(pipe)).isFIFO()).toBe(true)
    expect((await readdir(folder)).sort()).toEqual(['inner', 'link', 'pipe'])
  })
  it('abort and leaving the scope remove the temporary file; commit twice is not possible', async () => {
    {
      await using file = await AtomicFile.create(join(folder, 'a'))
      await file.write(Uint8Array.of(1))
    }
    expect(await readdir(folder)).toEqual([])
    const file = await AtomicFile.create(join(folder, 'b'))
    await file.commit()
    await file.abort()
    expect(await readdir(folder)).toEqual(['b'])
    await expect(AtomicFile.create(join(folder, 'no', 'b'))).rejects.toThrow(/ENOENT/)
  })
})
