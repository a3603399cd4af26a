import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { CancelledError, DisposedError, InvalidArgumentError, MemoryError, MissingKeyError } from '../errors/errors.ts'
import { BaseKeyStore } from './base-key-store.ts'
import type { KeyNeed } from './keys.ts'
import type { StoredKey } from './stored-key.ts'

const rotation = (steps: number, level = 3): KeyNeed => ({ kind: 'rotation', steps, level })

/** Ten bytes a key; loads end when the test says so. */
class Store extends BaseKeyStore {
  readonly keyId = undefined
  readonly loads: string[] = []
  readonly unloads: number[] = []
  readonly loading = new Map<number, { readonly end: (error?: Error) => void; readonly signal: AbortSignal }>()
  /** Whether loads end by themselves. */
  automatic = true
  /** Whether they go on when they are told to stop. */
  deaf = false

  constructor(count: number, budget?: number) {
    super(
      Array.from({ length: count }, (_, i) => ({ need: rotation(i + 1), bytes: 10 })),
      budget,
    )
  }
  protected load({ need }: StoredKey, signal: AbortSignal): Promise<void> {
    const { steps } = need as { steps: number }
    this.loads.push(String(steps))
    if (this.automatic) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        this.loading.delete(steps)
        if (error) reject(error)
        else resolve()
      }
      signal.addEventListener('abort', () => this.deaf || end(new Error('stopped')))
      this.loading.set(steps, { end, signal })
    })
  }
  protected unload({ need }: StoredKey): void {
    this.unloads.push((need as { steps: number }).steps)
  }
  residents(): number[] {
    return this.resident.rotations.map((r) => r.steps)
  }
}

/** Lets everything happen that can happen now. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
/** Whether a promise has settled, and how. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  let state = 'pending'
  promise.then(
    () => (state = 'done'),
    (error: Error) => (state = error.name),
  )
  await settle()
  return state
}

describe('leases', () => {
  it('make keys resident, each once, and count its bytes once', async () => {
    const store = new Store(4, 30)
    using lease = await store.acquire([rotation(1, 2), rotation(2), rotation(1, 0)])
    expect(lease.bytes).toBe(20)
    expect(store.loads).toEqual(['1', '2'])
    expect(store.residentBytes).toBe(20)
    expect(store.isResident(rotation(1))).toBe(true)
    expect(store.isResident(rotation(3))).toBe(false)
    expect(store.has(rotation(3))).toBe(true)
    expect(store.has(rotation(3, 4))).toBe(false)
    expect(store.bytes(rotation(3), rotation(3, 1), rotation(4))).toBe(20)
    using again = await store.acquire([rotation(2)])
    expect(again.disposed).toBe(false)
    expect(store.loads).toHaveLength(2)
  })

  it('make room by evicting what was needed least recently, and never what is leased', async () => {
    const store = new Store(5, 30)
    const lease = await store.acquire([rotation(1)])
    for (const steps of [2, 3]) (await store.acquire([rotation(steps)])).dispose()
    expect(store.residents()).toEqual([1, 2, 3])
    ;(await store.acquire([rotation(2)])).dispose()
    ;(await store.acquire([rotation(4)])).dispose()
    expect(store.unloads).toEqual([3])
    ;(await store.acquire([rotation(5)])).dispose()
    expect(store.unloads).toEqual([3, 2])
    lease.dispose()
    lease.dispose()
    expect(lease.disposed).toBe(true)
    expect(store.residents()).toEqual([1, 4, 5])
    expect(store.residentBytes).toBe(30)
  })

  it('wait for room in line, so that no large request starves', async () => {
    const store = new Store(6, 30)
    const first = await store.acquire([rotation(1), rotation(2)])
    const large = store.acquire([rotation(3), rotation(4), rotation(5)])
    const small = store.acquire([rotation(6)])
    expect(await stateOf(large)).toBe('pending')
    expect(await stateOf(small)).toBe('pending')
    first.dispose()
    const lease = await large
    expect(await stateOf(small)).toBe('pending')
    lease.dispose()
    ;(await small).dispose()
  })

  it('leave the line when cancelled, and let the next one through', async () => {
    const store = new Store(4, 20)
    const first = await store.acquire([rotation(1), rotation(2)])
    const controller = new AbortController()
    const second = store.acquire([rotation(3), rotation(4)], { signal: controller.signal })
    const third = store.acquire([rotation(1)])
    expect(await stateOf(third)).toBe('pending')
    controller.abort()
    await expect(second).rejects.toThrow(CancelledError)
    expect(await stateOf(third)).toBe('done')
    first.dispose()
    await expect(store.acquire([rotation(1)], { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
  })

  it('that are cancelled while their keys load hold nothing', async () => {
    const store = new Store(3, 20)
    store.automatic = false
    const controller = new AbortController()
    const lease = store.acquire([rotation(1), rotation(2)], { signal: controller.signal })
    await settle()
    controller.abort()
    await expect(lease).rejects.toThrow(CancelledError)
    for (const { end } of [...store.loading.values()]) end()
    await settle()
    store.automatic = true
    ;(await store.acquire([rotation(3)])).dispose()
    expect(store.unloads).toHaveLength(1)
  })

  it('end with the store, also between a place in line and the wait for keys', async () => {
    for (const automatic of [true, false])
      for (let turns = 0; turns < 6; turns++) {
        const store = new Store(3, 20)
        store.automatic = automatic
        const held = await stateOf(store.acquire([rotation(3)]))
        const lease = store.acquire([rotation(1), rotation(2)])
        lease.catch(() => undefined)
        for (let i = 0; i < turns; i++) await Promise.resolve()
        const end = store.dispose()
        for (const { end: stop } of [...store.loading.values()]) stop()
        await end
        expect(['done', 'DisposedError'], `${held}, ${turns}`).toContain(await stateOf(lease))
      }
  })

  it('listen to a signal once, however many keys they wait for, and leave it as it was', async () => {
    const store = new Store(20)
    store.automatic = false
    const { signal } = new AbortController()
    const lease = store.acquire(
      Array.from({ length: 20 }, (_, i) => rotation(i + 1)),
      { signal },
    )
    await settle()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    store.automatic = true
    for (const { end } of [...store.loading.values()]) end()
    ;(await lease).dispose()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('fail with what made loading fail, and a later one tries again', async () => {
    const store = new Store(2, 20)
    store.automatic = false
    const lease = store.acquire([rotation(1), rotation(2)])
    await settle()
    store.loading.get(1)!.end(new Error('damaged'))
    await expect(lease).rejects.toThrow('damaged')
    store.loading.get(2)!.end()
    store.automatic = true
    using again = await store.acquire([rotation(1), rotation(2)])
    expect(again.bytes).toBe(20)
    expect(store.loads.filter((l) => l === '1')).toHaveLength(2)
    expect(store.loads.filter((l) => l === '2')).toHaveLength(1)
  })

  it('are refused with the reason', async () => {
    const store = new Store(3, 20)
    await expect(store.acquire([rotation(1), rotation(7), rotation(2, 5)])).rejects.toThrow(
      /lacks 2 keys: rotation by 7 at level 3, rotation by 2 at level 5/,
    )
    await expect(store.acquire([rotation(7)])).rejects.toThrow(MissingKeyError)
    await expect(store.acquire([rotation(1), rotation(2), rotation(3)])).rejects.toThrow(MemoryError)
    expect(() => store.bytes(rotation(7))).toThrow(MissingKeyError)
    expect(() => new Store(1, 0)).toThrow(InvalidArgumentError)
    expect(store.residentBytes).toBe(0)
  })
})

describe('prefetching', () => {
  it('loads in order as far as there is room, beside leases and what is awaited already', async () => {
    const store = new Store(6, 40)
    const lease = await store.acquire([rotation(1)])
    ;(await store.acquire([rotation(6)])).dispose()
    store.prefetch([rotation(2), rotation(3)])
    store.prefetch([rotation(4), rotation(5)])
    await settle()
    expect(store.residents()).toEqual([1, 2, 3, 4])
    expect(store.unloads).toEqual([6])
    using next = await store.acquire([rotation(2)])
    expect(next.bytes).toBe(10)
    expect(store.loads).toEqual(['1', '6', '2', '3', '4'])
    lease.dispose()
  })

  it('waits behind leased keys, and gives way to them', async () => {
    const store = new Store(5, 20)
    store.automatic = false
    store.prefetch([rotation(1), rotation(2)])
    await settle()
    const stopped = [1, 2].map((steps) => store.loading.get(steps)!.signal)
    const lease = store.acquire([rotation(3), rotation(4)])
    expect(stopped.every((signal) => signal.aborted)).toBe(true)
    await settle()
    for (const steps of [3, 4]) store.loading.get(steps)!.end()
    const held = await lease
    expect(store.residents()).toEqual([3, 4])
    // and comes back when they are done
    held.dispose()
    await settle()
    expect([...store.loading.keys()]).toEqual([1, 2])
  })

  it('that was stopped and then leased is loaded after all', async () => {
    const store = new Store(3, 10)
    store.automatic = false
    store.prefetch([rotation(1)])
    const other = store.acquire([rotation(2)])
    const wanted = store.acquire([rotation(1)])
    await settle()
    store.loading.get(2)!.end()
    ;(await other).dispose()
    await settle()
    store.loading.get(1)!.end()
    using lease = await wanted
    expect(lease.disposed).toBe(false)
    expect(store.loads).toEqual(['1', '2', '1'])
  })

  it('is no promise: it never throws, and its failure is reported by whoever asks', async () => {
    const store = new Store(2, 20)
    store.automatic = false
    store.prefetch([rotation(9), rotation(1)])
    await settle()
    store.loading.get(1)!.end(new Error('damaged'))
    await settle()
    expect(store.residentBytes).toBe(0)
    const lease = store.acquire([rotation(1)])
    await settle()
    store.loading.get(1)!.end(new Error('damaged still'))
    await expect(lease).rejects.toThrow('damaged still')
  })

  it('can be withdrawn: what was not begun is not loaded, what was may be evicted for another', async () => {
    const store = new Store(6, 30)
    store.automatic = false
    const prefetch = store.prefetch([rotation(1), rotation(2), rotation(3)])
    await settle()
    expect([...store.loading.keys()]).toEqual([1, 2])
    prefetch.dispose()
    prefetch[Symbol.dispose]()
    for (const { end } of [...store.loading.values()]) end()
    store.automatic = true
    await settle()
    expect(store.loads).toEqual(['1', '2'])
    store.prefetch([rotation(4), rotation(5), rotation(6)])
    await settle()
    expect(store.residents()).toEqual([4, 5, 6])
  })
})

describe('what is announced', () => {
  it('goes after what is not, and of it what is needed latest goes first', async () => {
    const store = new Store(6, 40)
    for (const steps of [1, 2, 3, 4]) (await store.acquire([rotation(steps)])).dispose()
    // 4 was needed last, but nobody expects it; 1 was needed first, and is needed next
    store.prefetch([rotation(1), rotation(3), rotation(2)])
    ;(await store.acquire([rotation(5)])).dispose()
    expect(store.unloads).toEqual([4])
    using _ = await store.acquire([rotation(5), rotation(6)])
    expect(store.unloads).toEqual([4, 2])
    expect(store.residents()).toEqual([1, 3, 5, 6])
  })

  it('is loaded when room comes free, in the room of what is needed later', async () => {
    const store = new Store(6, 30)
    const first = await store.acquire([rotation(1), rotation(2)])
    store.prefetch([3, 4, 5, 6].map((steps) => rotation(steps)))
    await settle()
    expect(store.residents()).toEqual([1, 2, 3])
    first.dispose()
    await settle()
    expect(store.residents()).toEqual([3, 4, 5])
    expect(store.unloads.sort()).toEqual([1, 2])
    // sooner than all of them
    store.prefetch([rotation(6)])
    await settle()
    expect(store.residents()).toEqual([3, 4, 6])
    expect(store.loads).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('is loaded while its lease still waits for room', async () => {
    const store = new Store(5, 30)
    const first = await store.acquire([rotation(1)])
    const second = await store.acquire([rotation(2)])
    const lease = store.acquire([rotation(3), rotation(4), rotation(5)])
    await settle()
    expect(store.residents()).toEqual([1, 2, 3])
    second.dispose()
    await settle()
    expect(store.residents()).toEqual([1, 3, 4])
    first.dispose()
    await lease
    expect(store.loads).toEqual(['1', '2', '3', '4', '5'])
  })

  it('stays within what its owner allows, and within what is given back', async () => {
    const store = new Store(6)
    const needs = [1, 2, 3, 4, 5].map((steps) => rotation(steps))
    let room = 35
    const announced = store.prefetch(needs, { room: () => room - store.residentBytes })
    await settle()
    expect(store.residents()).toEqual([1, 2, 3])
    expect(store.evict(20)).toBe(10)
    await settle()
    expect(store.residents()).toEqual([1, 2])
    room = 40
    store.prefetch(needs, { room: () => room - store.residentBytes })
    announced.dispose()
    await settle()
    expect(store.residents()).toEqual([1, 2, 3, 4])
    // less than there is: what comes takes the place of what is needed later
    room = 20
    store.prefetch([rotation(6)], { room: () => room - store.residentBytes })
    await settle()
    expect(store.residents()).toEqual([1, 6])
  })

  it('that cannot be loaded is tried once, not again and again', async () => {
    const store = new Store(2, 10)
    store.automatic = false
    store.prefetch([rotation(1), rotation(2)])
    store.loading.get(1)!.end(new Error('damaged'))
    await settle()
    expect(store.loads).toEqual(['1', '2'])
  })

  it('gives way while it loads: nothing else goes for the room that it leaves', async () => {
    const store = new Store(4, 30)
    for (const steps of [1, 2]) (await store.acquire([rotation(steps)])).dispose()
    store.automatic = false
    store.prefetch([rotation(1), rotation(2), rotation(3)])
    await settle()
    const { signal } = store.loading.get(3)!
    const lease = store.acquire([rotation(4)])
    expect(signal.aborted).toBe(true)
    await settle()
    expect(store.unloads).toEqual([])
    store.loading.get(4)!.end()
    using _ = await lease
    expect(store.residents()).toEqual([1, 2, 4])
  })
})

describe('eviction', () => {
  it('goes down to a number of bytes, as far as nobody leases them', async () => {
    const store = new Store(4)
    const lease = await store.acquire([rotation(1)])
    for (const steps of [2, 3, 4]) (await store.acquire([rotation(steps)])).dispose()
    expect(store.evict(20)).toBe(20)
    expect(store.residents()).toEqual([1, 4])
    expect(store.evict(0)).toBe(10)
    expect(store.residents()).toEqual([1])
    lease.dispose()
    expect(store.evict(0)).toBe(10)
    expect(store.residentBytes).toBe(0)
  })

  it('spares what it is told to keep, though it was needed least recently', async () => {
    const store = new Store(3)
    for (const steps of [1, 2, 3]) (await store.acquire([rotation(steps)])).dispose()
    expect(store.evict(10, { keep: [rotation(1), rotation(9)] })).toBe(20)
    expect(store.residents()).toEqual([1])
    expect(store.evict(0, { keep: [rotation(1)] })).toBe(0)
    expect(store.evict(0)).toBe(10)
  })
})

describe('eviction of what is loading', () => {
  it('gives its room back when the load has stopped, and says when', async () => {
    const store = new Store(2, 20)
    store.automatic = false
    store.prefetch([rotation(1)])
    store.deaf = true
    expect(store.evict(0)).toBe(0)
    expect(store.residentBytes).toBe(10)
    const gone = store.evicted()
    expect(await stateOf(gone)).toBe('pending')
    store.loading.get(1)!.end()
    await gone
    expect(store.residentBytes).toBe(0)
    expect(store.unloads).toEqual([1])
    await store.evicted()
  })
})

describe('closing', () => {
  it('evicts everything, stops what loads, and refuses whoever waits and comes', async () => {
    const store = new Store(4, 20)
    const lease = await store.acquire([rotation(1)])
    store.automatic = false
    const loading = store.acquire([rotation(2)])
    await settle()
    const waiting = store.acquire([rotation(3), rotation(4)])
    const fates = [loading, waiting].map((p) => expect(p).rejects.toThrow(DisposedError))
    await store.dispose()
    await Promise.all(fates)
    await store[Symbol.asyncDispose]()
    expect(store.residentBytes).toBe(0)
    expect(store.unloads).toEqual([1])
    lease.dispose()
    await expect(store.acquire([rotation(1)])).rejects.toThrow(DisposedError)
    store.prefetch([rotation(1)])
    expect(store.residentBytes).toBe(0)
  })

  it('refuses whoever has just got the room, at every step on the way', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const store = new Store(2)
      ;(await store.acquire([rotation(1)])).dispose()
      const arriving = store.acquire([rotation(1), rotation(2)])
      for (let i = 0; i < ticks; i++) await Promise.resolve()
      const closing = store.dispose()
      expect(await stateOf(arriving), `after ${ticks} ticks`).toMatch(/^(DisposedError|done)$/)
      await closing
      expect(store.residentBytes).toBe(0)
    }
  })
})

describe('a long history of random requests', () => {
  it('never exceeds the budget, never evicts what is leased, and serves everyone', async () => {
    const store = new Store(8, 40)
    let state = 12345
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const held: { needs: KeyNeed[]; dispose: () => void }[] = []
    const asked: Promise<unknown>[] = []
    for (let i = 0; i < 2000; i++) {
      const needs = Array.from({ length: 1 + random(3) }, () => rotation(1 + random(8)))
      if (random(4) === 0) store.prefetch(needs)
      else
        asked.push(
          store.acquire(needs).then((lease) => {
            for (const need of needs) expect(store.isResident(need)).toBe(true)
            held.push({ needs, dispose: () => lease.dispose() })
          }),
        )
      if (random(3) === 0) await settle()
      while (held.length > random(3)) held.splice(random(held.length), 1)[0]!.dispose()
      expect(store.residentBytes).toBeLessThanOrEqual(40)
      for (const { needs: leased } of held) for (const need of leased) expect(store.isResident(need)).toBe(true)
    }
    for (let rest = true; rest; ) {
      await settle()
      rest = held.length > 0
      for (const { dispose } of held.splice(0)) dispose()
    }
    await Promise.all(asked)
  })
})
