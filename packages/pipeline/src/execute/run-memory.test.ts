/** What becomes of a run's output and its other values when others need their room, in every order of events. */
import { CancelledError, type Ciphertext, type CiphertextStore, type SpilledCiphertexts } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { figures, program } from './memory-stage.test-helper.ts'
import { RunMemory } from './run-memory.ts'
import { TaskMemory } from './task-memory.ts'
import { ValueTable } from './value-table.ts'
import type { WeightsTable } from './weights-table.ts'

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A store that is done when the test says so. */
class Slow {
  readonly kept = new Set<SpilledCiphertexts>()
  /** Goes on with what is under way. */
  go: (() => void) | undefined
  failure: Error | undefined
  readonly #live: Set<Ciphertext>
  constructor(live: Set<Ciphertext>) {
    this.#live = live
  }
  async spill(ciphertexts: readonly Ciphertext[]): Promise<SpilledCiphertexts> {
    await this.#turn()
    for (const ciphertext of ciphertexts) expect(this.#live.has(ciphertext)).toBe(true)
    const spilled = { count: ciphertexts.length, bytes: 1 }
    this.kept.add(spilled)
    return spilled
  }
  async restore(spilled: SpilledCiphertexts): Promise<Ciphertext[]> {
    await this.#turn()
    expect(this.kept.has(spilled)).toBe(true)
    return [ciphertext(this.#live)]
  }
  async drop(spilled: SpilledCiphertexts): Promise<void> {
    this.kept.delete(spilled)
  }
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.go = resolve
    })
    if (this.failure) throw this.failure
  }
}

function ciphertext(live: Set<Ciphertext>): Ciphertext {
  const made = { dispose: () => live.delete(made) } as unknown as Ciphertext
  live.add(made)
  return made
}

/** A run whose output c has just been written, in room for two values. */
async function stage() {
  const live = new Set<Ciphertext>()
  const spill = new Slow(live)
  const memory = new TaskMemory({
    ...{ program, figures, weights: {} as WeightsTable },
    spill: spill as unknown as CiphertextStore,
  })
  const name = await memory.begin(figures.fixed + memory.least.bytes)
  const values = new ValueTable(program, [{} as Ciphertext])
  const run = new RunMemory(memory, name, values)
  const write = async (id: string) => {
    values.put(id, [ciphertext(live)])
    ;(await run.wrote([id])).release()
  }
  await write('c')
  for (const index of program.tasks.keys()) memory.finish(name, index)
  return { live, spill, memory, name, values, run, write }
}
/** Everything that a run does at its end. */
async function end({ run, values, memory, name }: Awaited<ReturnType<typeof stage>>): Promise<void> {
  await run.end()
  values.dispose()
  memory.end(name)
}

describe('the output of a run', () => {
  it('is read by its end: what nobody reads any more goes before it', async () => {
    const { memory, name, write, spill, values, live } = await stage()
    expect(memory.nextUse(`${name} value c`)).toBe(0)
    await write('a')
    const room = memory.residency.makeRoom(memory.least.bytes - 1000)
    await settle()
    spill.go!()
    await room
    expect(values.get('a')).toBeUndefined()
    expect(values.get('c')).toHaveLength(1)
    expect(live.size).toBe(1)
  })

  it.each(['before', 'meanwhile', 'after'])('comes back when it is put away %s the end', async (when) => {
    const at = await stage()
    const { memory, run, values, spill, live } = at
    const evict = () => memory.residency.makeRoom(memory.least.bytes)
    let room: Promise<unknown> = Promise.resolve()
    if (when !== 'after') room = evict()
    await settle()
    if (when === 'before') {
      spill.go!()
      await room
      expect(live.size).toBe(0)
    }
    const held = run.holdOutput()
    await settle()
    if (when === 'after') await evict()
    else {
      spill.go!() // out, or in
      await settle()
      spill.go!() // and in again
    }
    await Promise.all([held, room])
    expect(live.size).toBe(1)
    await evict() // nobody takes it away any more
    await run.end()
    const output = values.takeOutput()
    expect(output.ciphertexts.map((c) => live.has(c))).toEqual([true])
    expect(spill.kept.size).toBe(0)
    await end(at)
    expect(live.size).toBe(1)
    expect(memory.residency.used).toBe(0)
    expect(memory.residency.busy).toBe(false)
  })
})

describe('a value that was just written', () => {
  it('stays until it is released, for whoever saves it', async () => {
    const at = await stage()
    const { memory, run, values, live, spill } = at
    await run.died('c')
    values.put('a', [ciphertext(live)])
    const written = await run.wrote(['a'])
    await memory.residency.makeRoom(memory.least.bytes)
    expect(values.get('a')).toHaveLength(1)
    written.release()
    const room = memory.residency.makeRoom(memory.least.bytes)
    await settle()
    spill.go!()
    await room
    expect(values.get('a')).toBeUndefined()
    await end(at)
    expect(spill.kept.size).toBe(0)
  })
})

describe('the end of a run', () => {
  it.each(['done', 'failed'])('waits for an eviction that is under way, which is %s', async (outcome) => {
    const at = await stage()
    const { memory, spill, live } = at
    const room = memory.residency.makeRoom(memory.least.bytes)
    await settle()
    let ended = false
    const ending = end(at).then(() => {
      ended = true
    })
    await settle()
    expect(ended).toBe(false)
    if (outcome === 'failed') spill.failure = new Error('disk full')
    spill.go!()
    await ending
    const [asked] = await Promise.allSettled([room])
    expect(asked!.status).toBe(outcome === 'failed' ? 'rejected' : 'fulfilled')
    expect(live.size).toBe(0)
    expect(spill.kept.size).toBe(0)
    expect(memory.residency.used).toBe(0)
    await memory.residency.makeRoom(memory.least.bytes)
  })

  it('waits for a value that is coming back, and takes it too', async () => {
    const at = await stage()
    const { memory, spill, run, live } = at
    const room = memory.residency.makeRoom(memory.least.bytes)
    await settle()
    spill.go!()
    await room
    const controller = new AbortController()
    const holding = run.holdOutput(controller.signal)
    await settle()
    controller.abort()
    await expect(holding).rejects.toThrow(CancelledError)
    const ending = end(at)
    await settle()
    spill.go!()
    await ending
    expect(live.size).toBe(0)
    expect(spill.kept.size).toBe(0)
  })
})

describe('a task that waits for memory', () => {
  it('hears that its run is cancelled, though nobody gives anything back', async () => {
    const { memory, run } = await stage()
    await run.died('c')
    const held = await memory.residency.hold([], memory.least.bytes)
    const controller = new AbortController()
    const waiting = run.hold(program.tasks[0]!, controller.signal)
    await settle()
    controller.abort()
    await expect(waiting).rejects.toThrow(CancelledError)
    held.release()
    expect(memory.residency.busy).toBe(false)
  })
})
