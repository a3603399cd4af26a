import { existsSync, readFileSync } from 'node:fs'
import { UnsupportedError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { LineProcess } from './line-process.ts'

/** Answers each "go", and never rests. */
const SPINNER = `
let spinning = true
const spin = () => { if (spinning) setImmediate(spin) }
const say = () => console.log('{}')
process.stdin.on('data', say).on('end', () => { spinning = false })
say()
spin()
`

/** The letter of a process' state: R runs, S sleeps, T is stopped. */
const stateOf = (pid: number): string => /\) ([A-Z])/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]!

describe('a peer', () => {
  it('is stopped between its turns, though it spins', async (context) => {
    if (!existsSync('/proc/self/stat')) {
      console.warn('no /proc here: that a peer is stopped between its turns is not tested')
      return context.skip()
    }
    await using peer = new LineProcess(process.execPath, ['-e', SPINNER], 'spinner')
    await peer.next()
    for (let turn = 0; turn < 3; turn++) {
      // the signal is on its way when the line has been read
      while (stateOf(peer.pid!) !== 'T') await new Promise((resolve) => setTimeout(resolve, 1))
      await peer.go()
    }
  })

  it('that ends says so', async () => {
    await using peer = new LineProcess(process.execPath, ['-e', ''], 'nothing')
    await expect(peer.next()).rejects.toThrow(UnsupportedError)
  })
})
