import { HeMlError, InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import type { Row } from '../rows.ts'
import {
  checkFunctional,
  emitFunctional,
  FunctionalPeer,
  type FunctionalReady,
  peerFunctionalOptions,
} from './functional.ts'

const ready: FunctionalReady = {
  ...{ peer: 'openfhe 1.5.1', logN: 15, values: 32768, points: 16, function: 'step', functions: 4 },
  ...{ limbs: 21, special: 2, dnum: 7, logQP: 834, primeBits: 34 },
  ...{ secret: 'uniform ternary', security: '128 classical', levelsLeft: 0, keyBytes: 3e9 },
}
const task = { points: 16, functions: 4, threads: 1, levelsLeft: 2 }
const turn = { us: 32.768e6, cpuUs: 30e6, conversionUs: 2e5, wrong: 0, margin: 40, peakBytes: 5e9 }

describe("OpenFHE's functional bootstrapping", () => {
  it('is compared when it does the same task', () => {
    expect(() => checkFunctional(ready, task)).not.toThrow()
    expect(() => checkFunctional({ ...ready, levelsLeft: 2 }, task)).not.toThrow()
  })

  it.each([
    [{ security: 'not checked' }, InvalidArgumentError, /only secure settings/],
    [{ points: 64 }, InvalidArgumentError, /expected 4 functions of 16 points, got 4 of 64/],
    [{ functions: 1 }, InvalidArgumentError, /got 1 of 16/],
    [{ levelsLeft: 3 }, HeMlError, /ours leaves 2 levels, OpenFHE 3/],
  ] as const)('is refused with %o', (change, error, message) => {
    expect(() => checkFunctional({ ...ready, ...change }, task)).toThrow(error)
    expect(() => checkFunctional({ ...ready, ...change }, task)).toThrow(message)
  })

  it('has a setting for each of our grids, and asks for one beyond', () => {
    expect(peerFunctionalOptions(16)).not.toBe(peerFunctionalOptions(64))
    expect(peerFunctionalOptions(12)).toBe(peerFunctionalOptions(16))
    expect(() => peerFunctionalOptions(256)).toThrow(/--peer-functional: no setting .* 256 points/)
  })

  it('has rows of its own name, all wrong results and the least margin among them', () => {
    const rows: Row[] = []
    const turns = [turn, { ...turn, us: 65.536e6, wrong: 3, margin: 20 }, { ...turn, wrong: 2 }]
    emitFunctional(ready, turns, 1, (row) => rows.push(row))
    expect(rows.every(({ name, peer }) => name === 'step' && peer === 'openfhe 1.5.1')).toBe(true)
    expect(rows[0]!.params).toMatchObject({ logN: 15, gridValues: 16, function: 'step', functions: 4, logQP: 834 })
    expect(Object.fromEntries(rows.map(({ metric, value }) => [metric, value]))).toMatchObject({
      ...{ time: 32.768, 'time-per-value': 1000, 'cpu-time': 30, values: 98304, wrong: 5 },
      ...{ 'margin-results': 20, 'levels-left': 0, 'key-bytes': 3, 'peak-rss': 5 },
    })
  })

  it('that ends at once is waited for, and says so', async () => {
    await expect(FunctionalPeer.start('false', '--levels 0', task)).rejects.toThrow(/ended without an answer/)
  })
})
