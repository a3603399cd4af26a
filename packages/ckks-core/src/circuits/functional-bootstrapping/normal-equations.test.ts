import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlanError } from '../../errors/errors.ts'
import { solveLeastSquares } from '../bootstrapping/least-squares.ts'
import { solveNormalEquations } from './normal-equations.ts'

describe('solveNormalEquations', () => {
  it('solves what reflections solve, and leaves the conditions alone', () => {
    const sizes = fc.record({ unknowns: fc.integer({ min: 1, max: 12 }), more: fc.integer({ min: 0, max: 20 }) })
    fc.assert(
      fc.property(sizes, fc.integer(), ({ unknowns, more }, seed) => {
        const random = (i: number) =>
          ((Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 1) - (i % 7 === 0 ? 0.5 : 0)
        // an identity below keeps it determined
        const rows = Array.from({ length: unknowns + more }, (_, r) =>
          Float64Array.from(
            { length: unknowns },
            (_, c) => (r >= more && r - more === c ? 1 : 0) + (r < more ? random(r * 31 + c) : 0),
          ),
        )
        const wanted = Float64Array.from(rows, (_, r) => random(r * 17 + 5))
        const kept = rows.map((row) => row.slice())
        const x = solveNormalEquations(rows, wanted)
        expect(rows).toEqual(kept)
        const other = solveLeastSquares(kept, wanted.slice())
        for (const [i, value] of x.entries()) expect(value).toBeCloseTo(other[i]!, 9)
      }),
      { numRuns: 50 },
    )
  })
  it('refuses what is not determined', () => {
    const rows = [Float64Array.of(1, 1), Float64Array.of(2, 2)]
    expect(() => solveNormalEquations(rows, Float64Array.of(1, 2))).toThrow(PlanError)
  })
})
