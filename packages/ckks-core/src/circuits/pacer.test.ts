import { describe, expect, it } from 'vitest'
import { CancelledError } from '../errors/errors.ts'
import { Pacer } from './pacer.ts'

describe('Pacer', () => {
  it('pauses when the budget is spent, not before', async () => {
    let pauses = 0
    let now = 100
    const pacer = new Pacer('loop', { budget: 5, pause: () => void pauses++, now: () => now })
    for (const [at, wanted] of [
      [104.9, 0],
      [105, 1],
      [109.9, 1],
      [110, 2],
    ] as const) {
      now = at
      await pacer.step()
      expect(pauses).toBe(wanted)
    }
  })
  it('lets timers run by default', async () => {
    let fired = false
    setTimeout(() => {
      fired = true
    }, 1)
    const pacer = new Pacer('loop', { budget: 1 })
    // a pacer that starves timers never comes to an end here
    while (!fired) await pacer.step()
    expect(fired).toBe(true)
  })
  it('throws CancelledError with the name once aborted', async () => {
    const controller = new AbortController()
    const pacer = new Pacer('conv1', { signal: controller.signal })
    controller.abort()
    await expect(pacer.step()).rejects.toThrow(CancelledError)
    expect(() => new Pacer('conv1', { signal: controller.signal })).toThrow(/conv1/)
  })
})
