import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { CancelledError } from '../errors/errors.ts'
import { untilAborted } from './until-aborted.ts'

const never = new Promise<never>(() => undefined)

describe('untilAborted', () => {
  it('gives what the work gives, or throws what it throws, and leaves the signal as it was', async () => {
    const { signal } = new AbortController()
    expect(await untilAborted(Promise.resolve(3), signal, 'x')).toBe(3)
    expect(await untilAborted(Promise.resolve(4), undefined, 'x')).toBe(4)
    await expect(untilAborted(Promise.reject(new Error('own')), signal, 'x')).rejects.toThrow('own')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('stops waiting at the signal, also at one that was aborted before', async () => {
    const controller = new AbortController()
    const waiting = untilAborted(never, controller.signal, 'run')
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    controller.abort('enough')
    await expect(waiting).rejects.toThrow(CancelledError)
    await expect(waiting).rejects.toMatchObject({ message: 'run: cancelled', cause: 'enough' })
    await expect(untilAborted(never, AbortSignal.abort(), 'run')).rejects.toThrow(CancelledError)
  })
})
