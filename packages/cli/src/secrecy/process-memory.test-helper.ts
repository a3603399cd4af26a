/** The memory of another process of the same user, as Linux shows it. */
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../cli.test-helper.ts'
import type { ByteFinder } from './byte-finder.test-helper.ts'

/** Why the memory of a child cannot be read here; undefined where it can. */
export async function unreadable(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `${process.platform} shows no memory of other processes as a file`
  const scope = await readFile('/proc/sys/kernel/yama/ptrace_scope', 'utf8').catch(() => '0')
  return Number(scope) > 1 ? `kernel.yama.ptrace_scope is ${scope.trim()}: not even children may be read` : undefined
}

/** Waits until a process has stopped itself, with all its threads. @throws Error when it ends instead */
export async function stopped({ child, done }: Running): Promise<void> {
  let ended: string | undefined
  void done.then(({ code, stderr }) => {
    ended = `${code}: ${stderr}`
  })
  while (!(await isStopped(child.pid!))) {
    if (ended !== undefined) throw new Error(`ended before it stopped, with ${ended}`)
    await sleep(5)
  }
}

async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const stats = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ''))
  // behind the name in parentheses, which may have anything in it
  const states = (await Promise.all(stats)).map((stat) => stat[stat.lastIndexOf(')') + 2])
  return states.length > 0 && states.every((state) => state === 'T')
}

interface Region {
  readonly from: number
  readonly to: number
}

/** All that a process may have written: what is writable, or of no file. */
async function regionsOf(pid: number): Promise<Region[]> {
  const lines = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.flatMap((line) => {
    const [range, rights, , , inode, name = ''] = line.split(/\s+/)
    // the kernel's and devices' pages, which may not be readable
    const foreign = /^(\[(vvar|vdso|vsyscall)|anon_inode:|\/dev\/(?!shm|zero))/.test(name)
    if (foreign || rights![0] !== 'r' || (rights![1] !== 'w' && inode !== '0')) return []
    const [from, to] = range!.split('-').map((address) => Number.parseInt(address, 16))
    return [{ from: from!, to: to! }]
  })
}

const CHUNK = 4 * 2 ** 20

/** What is found in a process, which must stand still, and how many bytes were searched. */
export async function searchMemory(pid: number, finder: ByteFinder): Promise<{ found: Set<string>; bytes: number }> {
  const found = new Set<string>()
  let bytes = 0
  await using memory = await open(`/proc/${pid}/mem`, 'r')
  const overlap = 4 * Math.ceil(finder.longest / 4)
  const buffer = new Uint8Array(CHUNK + overlap)
  for (const { from, to } of await regionsOf(pid))
    for (let at = from; at < to; at += CHUNK) {
      const size = Math.min(buffer.length, to - at)
      await readWhole(memory, buffer.subarray(0, size), at)
      for (const name of finder.in(buffer.subarray(0, size))) found.add(name)
      bytes += Math.min(CHUNK, size)
    }
  return { found, bytes }
}

async function readWhole(file: FileHandle, into: Uint8Array, from: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, from + done)
    if (bytesRead === 0) throw new Error(`nothing at ${(from + done).toString(16)}`)
    done += bytesRead
  }
}
