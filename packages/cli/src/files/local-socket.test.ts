import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { expect, it } from 'vitest'
import { connectLocally, listenLocally } from './local-socket.ts'

it('listens at the whole of its path, or not at all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'so-'))
  try {
    const long = join(folder, 'y'.repeat(108 - folder.length))
    const listening = listenLocally(long, () => {})
    await expect(listening).rejects.toThrow(InvalidArgumentError)
    await expect(listening).rejects.toThrow(/a socket's path has at most 10[37] bytes, this one has 109/)
    expect(await readdir(folder)).toEqual([])
    const short = join(folder, 'y'.repeat(102 - folder.length))
    const server = await listenLocally(short, (socket) => socket.end())
    ;(await connectLocally(short)).destroy()
    server.close()
    await once(server, 'close')
  } finally {
    await rm(folder, { recursive: true })
  }
})
