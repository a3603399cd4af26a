import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const program = join(dirname(fileURLToPath(import.meta.url)), 'killed-run.test-helper.ts')
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** Runs to the end, or is killed (SIGKILL) once it has reported `lines` steps. */
function run(folder: string, lines = Infinity): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@he-ml/source', '--import', 'tsx', program, folder])
    let [seen, errors] = ['', '']
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    child.stdout.on('data', (chunk) => {
      seen += chunk
      if (seen.split('\n').length > lines) child.kill('SIGKILL')
    })
    child.on('close', (code, signal) => (code ? reject(new Error(errors)) : resolve(signal)))
  })
}
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'snn-training-'))
  folders.push(folder)
  return folder
}

describe('a killed run', () => {
  it('resumes from its last checkpoint and ends with the same weights, bit for bit', async () => {
    const [whole, broken] = [newFolder(), newFolder()]
    expect(await run(whole)).toBe(null)
    expect(await run(broken, 5)).toBe('SIGKILL')
    expect(existsSync(join(broken, 'done'))).toBe(false)
    expect(existsSync(join(broken, 'checkpoint.safetensors'))).toBe(true)
    expect(await run(broken, 7)).toBe('SIGKILL')
    expect(await run(broken)).toBe(null)
    for (const name of ['checkpoint.safetensors', 'model.safetensors', 'model.json'])
      expect(readFileSync(join(broken, name)).equals(readFileSync(join(whole, name)))).toBe(true)
    // a kill while writing may leave a temporary file, but never a broken checkpoint
    expect(readdirSync(broken)).toContain('done')
  })
})
