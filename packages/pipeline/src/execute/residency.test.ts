import { CancelledError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Residency, type Resident } from './residency.ts'

/** Residents that note their comings and goings. */
function stage(uses: Readonly<Record<string, number>> = {}, budget = 100) {
  const log: string[] = []
  const inMemory = new Map<string, number>()
  const residency = new Residency({ budget, nextUse: (id) => uses[id] ?? Number.POSITIVE_INFINITY })
  const make = (id: string, bytes: number): Resident => ({
    id,
    bytes,
    load: async () => {
      await Promise.resolve()
      log.push(`+${id}`)
      inMemory.set(id, bytes)
    },
    drop: async () => {
      await Promise.resolve()
      log.push(`-${id}`)
      inMemory.delete(id)
    },
  })
  const bytes = () => [...inMemory.values()].reduce((a, b) => a + b, 0)
  return { log, residency, make, bytes }
}

describe('one budget', () => {
  it('what is wanted again latest goes first, and what is held never', async () => {
    const { log, residency, make } = stage({ a: 5, b: 9, c: 7, d: 1 })
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => make(id, 40)) as [Resident, Resident, Resident, Resident]
    ;(await residency.hold([a])).release()
    ;(await residency.hold([b])).release()
    ;(await residency.hold([c])).release()
    expect(log).toEqual(['+a', '+b', '-b', '+c'])
    const held = await residency.hold([c])
    ;(await residency.hold([d])).release()
    expect(log.slice(4)).toEqual(['-a', '+d'])
    expect(residency.fits([make('e', 61)])).toBe(false)
    expect(residency.fits([make('e', 60)])).toBe(true)
    held.release()
    expect(residency.fits([make('e', 61)])).toBe(true)
  })

  it('what several tasks hold is loaded once, and goes when the last of them releases it', async () => {
    const { log, residency, make } = stage()
    const [one, two] = await Promise.all([residency.hold([make('a', 60)]), residency.hold([make('a', 60)])])
    one.release()
    one.release()
    expect(residency.fits([make('b', 60)])).toBe(false)
    two.release()
    ;(await residency.hold([make('b', 60)])).release()
    expect(log).toEqual(['+a', '-a', '+b'])
  })

  it('prefetching never takes the place of what is wanted sooner', async () => {
    const { log, residency, make } = stage({ a: 1, b: 2, c: 3 })
    ;(await residency.hold([make('b', 70)])).release()
    await residency.prefetch(make('c', 40))
    expect(log).toEqual(['+b'])
    await residency.prefetch(make('a', 40))
    expect(log).toEqual(['+b', '-b', '+a'])
  })

  it('a pool gives back before anything goes that this run wants again', async () => {
    const pool = {
      bytes: 60,
      evict(left: number) {
        const before = this.bytes
        this.bytes = Math.min(before, Math.max(left, 20))
        return before - this.bytes
      },
      evicted: async () => {},
    }
    const before = pool.bytes
    const residency = new Residency({
      budget: 100,
      nextUse: (id) => (id === 'later' ? 3 : Number.POSITIVE_INFINITY),
      pool,
    })
    const { make, log } = stage()
    ;(await residency.hold([make('later', 30)])).release()
    ;(await residency.hold([make('now', 30)])).release()
    expect(pool.bytes).toBeLessThan(before)
    expect(residency.used).toBeLessThanOrEqual(100)
    expect(log).toEqual(['+later', '+now'])
  })

  it('a failure to load is the holder’s, leaves nothing behind, and may be tried again', async () => {
    const { residency, make } = stage()
    const broken = { ...make('a', 50), load: () => Promise.reject(new Error('no disk')) }
    await residency.prefetch(broken)
    await expect(residency.hold([make('b', 10), broken])).rejects.toThrow('no disk')
    expect(residency.has('a')).toBe(false)
    ;(await residency.hold([make('a', 50)])).release()
    await residency.clear()
    expect(residency.used).toBe(0)
  })

  it('a failure to drop is of whoever wanted the room, leaves what was to go where it is, and may be tried again', async () => {
    const { residency, make, log } = stage()
    let full = true
    const stubborn = make('a', 60)
    const drop = async () => {
      if (full) throw new Error('disk full')
      await stubborn.drop()
    }
    ;(await residency.hold([{ ...stubborn, drop }])).release()
    await expect(residency.hold([make('b', 60)])).rejects.toThrow('disk full')
    await expect(residency.hold([], 60)).rejects.toThrow('disk full')
    expect(residency.used).toBe(60)
    ;(await residency.hold([{ ...stubborn, drop }], 40)).release()
    expect(log).toEqual(['+a'])
    full = false
    ;(await residency.hold([make('b', 60)])).release()
    expect(log).toEqual(['+a', '-a', '+b'])
  })

  it('what is struck off has stopped moving: on its way out, on its way in, or neither', async () => {
    for (const moving of ['out', 'in', 'no']) {
      const { residency, make, log } = stage()
      const a = make('a', 60)
      const holding = residency.hold([a])
      if (moving !== 'in') (await holding).release()
      const room = moving === 'out' ? residency.makeRoom(60) : Promise.resolve()
      await Promise.resolve()
      await residency.forget('a')
      const before = [...log]
      expect(before).toEqual(moving === 'out' ? ['+a', '-a'] : ['+a'])
      expect(residency.used).toBe(0)
      await Promise.allSettled([room, holding])
      await residency.makeRoom(100)
      expect(log).toEqual(before)
    }
  })

  it('room waits for what is on its way out already', async () => {
    const { residency, make, bytes } = stage()
    const a = make('a', 60)
    const drop = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      await a.drop()
    }
    ;(await residency.hold([{ ...a, drop }])).release()
    const dropped = residency.drop('a')
    await residency.makeRoom(100)
    expect(bytes()).toBe(0)
    await dropped
  })

  it('whatever is asked of it at once, memory stays within what is held and the budget', async () => {
    const request = fc.record({ ids: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 3 }), early: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 25 }), async (requests) => {
        const uses = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}`, (7 * i) % 10]))
        const { residency, make, bytes } = stage(uses, 60)
        const residents = Array.from({ length: 10 }, (_, i) => make(`${i}`, 5 + i))
        await Promise.all(
          requests.map(async ({ ids, early }) => {
            const wanted = ids.map((i) => residents[i]!)
            if (early) return residency.prefetch(wanted[0]!)
            if (!residency.fits(wanted)) return
            const held = await residency.hold(wanted)
            for (const { id } of wanted) expect(residency.has(id)).toBe(true)
            expect(bytes()).toBeLessThanOrEqual(60)
            held.release()
          }),
        )
        expect(residency.used).toBe(bytes())
        await residency.clear()
        expect(bytes()).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})

describe('loading that is cancelled', () => {
  /** Loads until its signal is aborted, or the test says that it is there. */
  function slow() {
    const residency = new Residency({ nextUse: () => 1 })
    const loads: { readonly signal: AbortSignal; readonly done: () => void }[] = []
    const load = (signal: AbortSignal) =>
      new Promise<void>((done, reject) => {
        loads.push({ signal, done })
        signal.addEventListener('abort', () => setImmediate(() => reject(new CancelledError('encode: cancelled'))))
      })
    const resident: Resident = { id: 'a', bytes: 1, load, drop: async () => {} }
    return { residency, loads, resident }
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))

  it('is not the failure of who comes next, who loads again', async () => {
    const { residency, loads, resident } = slow()
    const controller = new AbortController()
    const first = residency.hold([resident], 0, controller.signal)
    await settle()
    controller.abort()
    await expect(first).rejects.toThrow(CancelledError)
    // it has not stopped yet
    expect(residency.has('a')).toBe(true)
    const second = residency.hold([resident], 0, new AbortController().signal)
    await settle()
    expect(loads.map(({ signal }) => signal.aborted)).toEqual([true, false])
    loads[1]!.done()
    ;(await second).release()
    expect(residency.used).toBe(1)
  })

  it('goes on for the others that wait for it, and stops with the last of them', async () => {
    const { residency, loads, resident } = slow()
    const controllers = [1, 2, 3].map(() => new AbortController())
    const [one, two, three] = controllers.map(({ signal }, i) =>
      i === 1 ? residency.prefetch(resident, signal) : residency.hold([resident], 0, signal),
    )
    await settle()
    controllers[0]!.abort()
    await expect(one).rejects.toThrow(CancelledError)
    controllers[1]!.abort()
    await two
    expect(loads[0]!.signal.aborted).toBe(false)
    controllers[2]!.abort()
    await expect(three).rejects.toThrow(CancelledError)
    expect(loads[0]!.signal.aborted).toBe(true)
    expect(loads).toHaveLength(1)
    await settle()
    expect(residency.used).toBe(0)
    expect(residency.busy).toBe(false)
  })
})
