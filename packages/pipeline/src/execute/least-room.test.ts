import { describe, expect, it } from 'vitest'
import { leastRoom } from './least-room.ts'
import { figures, keyStore, program, spill } from './memory-stage.test-helper.ts'

const least = (stores: object, of = program) => {
  const { task, bytes } = leastRoom({ program: of, figures, ...stores })
  return [task.id, bytes]
}

describe('the least room', () => {
  it('is that of the task that needs most: its weights, its work, its keys, what it reads', () => {
    expect(least({ keys: keyStore(), spill })).toEqual(['b', 100 + 10 + 20_000 + 1000])
    expect(least({ spill })).toEqual(['c', 100 + 10 + 2000])
  })

  it('has all values in it that are read later, where they can go nowhere', () => {
    expect(least({})).toEqual(['c', 100 + 10 + 2000])
    const [a, b, c] = program.tasks as [never, never, (typeof program.tasks)[number]]
    // d reads c; a, b and c are read once more at the end
    const d = { ...c, id: 'd', reads: [['c']], writes: ['d'] }
    const e = { ...c, id: 'e', reads: [['a'], ['b'], ['c']], writes: ['e'] }
    const longer = { ...program, tasks: [a, b, c, d, e], output: { ...program.output, id: 'e' } }
    expect(least({ spill }, longer)).toEqual(['e', 100 + 10 + 3000])
    expect(least({}, longer)).toEqual(['d', 100 + 10 + 3000])
  })
})
