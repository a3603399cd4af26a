/** Where a long benchmark is, on standard error: rewritten in place on a terminal, a line every half minute elsewhere. */
const EVERY_MS = 30_000

let last = Number.NEGATIVE_INFINITY

export function progress(text: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${text}`)
    return
  }
  const now = performance.now()
  if (now - last < EVERY_MS) return
  last = now
  process.stderr.write(`${text}\n`)
}
