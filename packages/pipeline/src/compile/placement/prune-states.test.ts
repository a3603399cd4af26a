import { describe, expect, it } from 'vitest'
import { pruneStates } from './prune-states.ts'
import { StateTable } from './state-table.ts'

/** Numbers below `most`, the same ones every time. */
function numbers(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 0) / 2 ** 32) * most)
  }
}

/** A table of random states, costs in few sizes so that many are alike, beside the same in plain objects. */
function states(count: number, width: number, top: number, seed: number) {
  const next = numbers(seed)
  const table = new StateTable(width)
  const plain = new Map<string, { levels: number[]; seconds: number; from: number }>()
  for (let i = 0; i < count; i++) {
    const levels = Array.from({ length: width }, () => next(top))
    const seconds = next(3) === 0 ? next(6) / 4 : next(1000) / 512
    const known = plain.get(`${levels}`)
    table.scratch.set(levels)
    const wanted = !known || known.seconds > seconds
    const records = table.records
    const row = table.keep(seconds, i, i % 7)
    expect(levelsOf(table, row)).toEqual(levels)
    expect(table.records - records).toBe(wanted ? 1 : 0)
    if (wanted) plain.set(`${levels}`, { levels, seconds, from: i })
  }
  return { table, plain: [...plain.values()] }
}

const levelsOf = (table: StateTable, row: number): number[] =>
  Array.from({ length: table.width }, (_, i) => table.level(row, i))

describe('a table of states', () => {
  it('keeps each row once, in the order in which it was first met, with the cheapest way to it', () => {
    const { table, plain } = states(20_000, 4, 12, 1)
    expect(table.rows).toBe(plain.length)
    expect(table.records).toBeGreaterThan(table.rows)
    expect(table.rows).toBeGreaterThan(10_000)
    for (const [row, { levels, seconds, from }] of plain.entries()) {
      const record = table.cheapest(row)
      const found = [levelsOf(table, row), table.leastSeconds(row), table.secondsOf(record), table.fromOf(record)]
      expect(found).toEqual([levels, seconds, seconds, from])
      expect([table.rowOf(record), table.stepOf(record)]).toEqual([row, from % 7])
    }
  })
})

describe('pruning', () => {
  /** The same on plain objects, with nothing clever. */
  function wanted(plain: ReturnType<typeof states>['plain'], most: number) {
    const rows = [...plain.entries()].map(([row, state]) => ({ row, ...state })).sort((a, b) => a.seconds - b.seconds)
    const covers = (a: number[], b: number[]) => a.every((level, i) => level >= b[i]!)
    const kept = rows.filter(
      (state, i) => rows.length > 3000 || !rows.slice(0, i).some((better) => covers(better.levels, state.levels)),
    )
    if (kept.length <= most) return { rows: kept.map(({ row }) => row), exact: true }
    const half = Math.ceil(most / 2)
    const high = kept.slice(half).sort((a, b) => Math.min(...b.levels) - Math.min(...a.levels))
    return { rows: [...kept.slice(0, half), ...high.slice(0, most - half)].map(({ row }) => row), exact: false }
  }

  it.each([
    ['few states, those that another beats are left out', 400, 3, 8, 10_000],
    ['few places for few states', 400, 3, 8, 11],
    ['many states, none compared', 9000, 5, 9, 20_000],
    ['many states for few places: half the cheap ones, half the high ones', 9000, 5, 9, 1001],
  ])('%s', (_, count, width, top, most) => {
    for (const seed of [1, 2, 3]) {
      const { table, plain } = states(count, width, top, seed)
      const { rows, exact } = pruneStates(table, most)
      expect({ rows: [...rows], exact }).toEqual(wanted(plain, most))
    }
  })
})
