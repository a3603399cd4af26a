import { CancelledError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { Pacer } from './pacer.ts'

describe('Pacer', () => {
  it('pauses when the budget is spent, not before', async () => {
    let pauses = 0
    const pacer = new Pacer('loop', { budget: 5, pause: () => void pauses++ })
    await pacer.step()
    expect(pauses).toBe(0)
    const start = performance.now()
    while (performance.now() - start < 6);
    await pacer.step()
    expect(pauses).toBe(1)
  })
  it('lets timers run by default', async () => {
    let fired = false
    setTimeout(() => {
      fired = true
    }, 1)
    const pacer = new Pacer('loop', { budget: 1 })
    const start = performance.now()
    while (!fired && performance.now() - start < 5_000) await pacer.step()
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
