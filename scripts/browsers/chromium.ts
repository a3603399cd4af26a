/** A Chromium without a window, where this machine has one, and a page in it that loads what we serve and tells us what it said. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The command that starts it: `HE_ML_CHROMIUM`, which must then be one, or what this machine has. Undefined where there is none. */
export const findChromium = (): string | undefined =>
  process.env.HE_ML_CHROMIUM ||
  ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0)

/** A program for the page. */
export interface PageProgram {
  readonly name: string
  /** An ES module. */
  readonly text: string
}

/** What became of a program. */
export interface PageOutcome {
  readonly name: string
  /** What it gave to `console.log`, a line a call, values by JSON or, where they are typed arrays, by their numbers. */
  readonly lines: readonly string[]
  /** What it threw, with the stack. */
  readonly error?: string
}

/** Answers a request of a page's program; undefined: not found. */
export type Serve = (path: string, body: Uint8Array) => Promise<Uint8Array | string | undefined>

const PAGE = `<!doctype html><meta charset="utf-8"><title>programs</title><script type="module">
const show = (x) => typeof x === 'string' ? x : ArrayBuffer.isView(x) ? String(x) : JSON.stringify(x)
const outcomes = []
for (const name of await (await fetch('/programs')).json()) {
  const lines = []
  console.log = (...values) => lines.push(values.map(show).join(' '))
  try {
    await import('/program/' + encodeURIComponent(name))
    outcomes.push({ name, lines })
  } catch (error) {
    outcomes.push({ name, lines, error: String(error) + ' ' + error?.stack })
  }
}
await fetch('/outcomes', { method: 'POST', body: JSON.stringify(outcomes) })
</script>`

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of request) parts.push(part as Uint8Array)
  return new Uint8Array(Buffer.concat(parts))
}

/**
 * Runs programs one after the other in one page.
 * @param serve what programs can fetch
 * @throws Error when Chromium ends before they do
 */
export async function runInPage(
  chromium: string,
  programs: readonly PageProgram[],
  serve: Serve,
): Promise<readonly PageOutcome[]> {
  let done: (outcomes: readonly PageOutcome[]) => void = () => {}
  const outcomes = new Promise<readonly PageOutcome[]>((resolve) => {
    done = resolve
  })
  const answer = async (
    path: string,
    body: Uint8Array,
  ): Promise<readonly [string, Uint8Array | string] | undefined> => {
    if (path === '/') return ['text/html', PAGE]
    if (path === '/programs') return ['application/json', JSON.stringify(programs.map(({ name }) => name))]
    if (path === '/outcomes') done(JSON.parse(new TextDecoder().decode(body)))
    if (path === '/outcomes') return ['text/plain', '']
    const program = programs.find(({ name }) => path === `/program/${encodeURIComponent(name)}`)
    if (program) return ['text/javascript', program.text]
    const served = await serve(path, body)
    return served === undefined ? undefined : ['application/octet-stream', served]
  }
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const found = await answer(request.url ?? '/', await bodyOf(request))
      if (found === undefined) response.writeHead(404).end()
      else response.writeHead(200, { 'content-type': found[0] }).end(found[1])
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  }
  const server = createServer((request, response) => void respond(request, response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    return await visit(chromium, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, outcomes)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Opens an address until something was told, then ends the browser. */
async function visit<T>(chromium: string, address: string, told: Promise<T>): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'he-ml-chromium-'))
  // pages are our own, so neither a sandbox, which root has none of, nor shared memory, which containers have little of, is needed
  const flags = ['--headless', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', `--user-data-dir=${profile}`]
  const browser = spawn(chromium, [...flags, address], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  browser.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<void>((resolve) => {
    browser.once('error', (error) => {
      said += String(error)
      resolve()
    })
    browser.once('close', () => resolve())
  })
  try {
    return await Promise.race([
      told,
      ended.then(() => {
        throw new Error(`${chromium} ended before the page's programs did:\n${said}`)
      }),
    ])
  } finally {
    browser.kill('SIGKILL')
    await ended
    // its helpers end a little after it, and write until then
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
