import { UnsupportedError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { LineProcess } from './line-process.ts'

/** Answers each "go" with the processor time used since it answered the last, and never rests. */
const SPINNER = `
let last = process.cpuUsage()
let spinning = true
const spin = () => { const end = Date.now() + 5; while (Date.now() < end); if (spinning) setImmediate(spin) }
const say = () => {
  const { user, system } = process.cpuUsage(last)
  console.log(JSON.stringify({ seconds: (user + system) / 1e6 }))
  last = process.cpuUsage()
}
process.stdin.on('data', say).on('end', () => { spinning = false })
say()
spin()
`

describe('a peer', () => {
  it('uses no processor between its turns', async () => {
    await using peer = new LineProcess<{ seconds: number }>(process.execPath, ['-e', SPINNER], 'spinner')
    await peer.next()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const { seconds } = await peer.go()
    expect(seconds).toBeLessThan(0.5)
  })

  it('that ends says so', async () => {
    await using peer = new LineProcess(process.execPath, ['-e', ''], 'nothing')
    await expect(peer.next()).rejects.toThrow(UnsupportedError)
  })
})
