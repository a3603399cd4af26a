/**
 * Loaded before a program (`node --import`), from the environment variable HE_ML_DISK_FAULT: what happens at the n-th operation on
 * files whose path has a given text in it. The process kills itself as `kill -9` does, or stops as by SIGSTOP until it is continued;
 * or the disk is full from then on. Of what was to be written half is there when it dies or the disk is full. Where that happens does
 * not depend on the machine's speed. The program's last words are how many operations there were.
 */
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** What is to happen, and where. */
export interface DiskFault {
  readonly does: 'kill' | 'stop' | 'full'
  /** In the path of the files that count. */
  readonly under: string
  /** Which operation, from 1. */
  readonly at: number
}

const { does, under, at } = JSON.parse(process.env.HE_ML_DISK_FAULT!) as DiskFault
let operations = 0

const fullDisk = (path: string): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), {
    ...{ code: 'ENOSPC', errno: -28, syscall: 'write', path },
  })

/** An operation begins. @param half does half of it */
async function count(path: string, half?: () => Promise<unknown>): Promise<void> {
  if (!path.includes(under)) return
  operations++
  if (operations < at || (operations > at && does !== 'full')) return
  if (does !== 'stop') await half?.()
  if (does === 'full') throw fullDisk(path)
  process.kill(process.pid, does === 'kill' ? 'SIGKILL' : 'SIGSTOP')
}

const { open, rename, rm } = fs
Object.assign(fs, {
  open: async (path: string, flags?: string, mode?: number): Promise<FileHandle> => {
    const handle = await open(path, flags, mode)
    if (flags !== 'r') watch(handle, path)
    return handle
  },
  rename: async (from: string, to: string): Promise<void> => {
    // a full disk has room for another name
    if (does !== 'full') await count(to)
    return rename(from, to)
  },
  rm: async (path: string, options?: Parameters<typeof rm>[1]): Promise<void> => {
    if (does !== 'full') await count(path)
    return rm(path, options)
  },
})
syncBuiltinESMExports()

function watch(handle: FileHandle, path: string): void {
  const write = handle.write.bind(handle)
  Object.assign(handle, {
    write: async (bytes: Uint8Array, from: number, size: number): Promise<unknown> => {
      await count(path, () => write(bytes, from, size >> 1))
      return write(bytes, from, size)
    },
  })
}

process.on('exit', () => process.stderr.write(`disk operations: ${operations}\n`))
