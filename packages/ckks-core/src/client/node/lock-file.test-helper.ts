/** Other processes that hold a lock. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** A process that holds the lock until it is killed; resolves when it has it. */
export async function hold(path: string): Promise<ChildProcess> {
  const code = `
    import { withLockFile } from ${JSON.stringify(new URL('./lock-file.ts', import.meta.url).href)}
    await withLockFile(${JSON.stringify(path)}, async () => {
      console.log('held')
      await new Promise((resolve) => setInterval(resolve, 2 ** 30))
    })`
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const args = ['--conditions=@he-ml/source', '--import', tsx, '--input-type=module', '-e', code]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}

/** Leaves the lock of a process that was killed. */
export async function holdAndDie(path: string): Promise<void> {
  const child = await hold(path)
  child.kill('SIGKILL')
  await once(child, 'exit')
}
