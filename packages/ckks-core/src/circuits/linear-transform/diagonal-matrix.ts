/**
 * A matrix as its generalised diagonals (Halevi and Shoup, ePrint 2014/106): diagonal d holds M[j][(j + d) mod slots] for
 * row j, so that M x = sum over d of diagonal_d * rotate(x, d), slot by slot. Only the diagonals that are not zero are kept.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import type { ComplexVector, SlotSource } from '../../port/slot-values.ts'

/** A square matrix of `slots` rows by its diagonals; a diagonal shorter than `slots` repeats with its own length. */
export interface DiagonalMatrix {
  /** Rows and columns: a power of two, N/2 at most. */
  readonly slots: number
  /** By step in [0, slots). */
  readonly diagonals: ReadonlyMap<number, SlotSource>
}

/** A non-zero entry. */
export interface MatrixEntry {
  /** From 0. */
  readonly row: number
  /** From 0. */
  readonly column: number
  /** Real part. */
  readonly re: number
  /** Imaginary part; default 0. */
  readonly im?: number
}

/** A dense matrix, row-major; `im` absent means real. */
export interface DenseMatrix extends ComplexVector {
  /** Rows of the matrix; `re` holds rows times columns numbers. */
  readonly rows: number
  /** Columns of the matrix. */
  readonly columns: number
}

/**
 * Diagonals from a list of entries; entries at the same place add up.
 *
 * @param slots a power of two; rows and columns beyond the entries are zero
 * @throws InvalidArgumentError for positions outside the matrix or values that are not finite
 */
export function diagonalsFromEntries(slots: number, entries: Iterable<MatrixEntry>): DiagonalMatrix {
  if (!(slots >= 1) || !Number.isInteger(Math.log2(slots)))
    throw new InvalidArgumentError(`a diagonal matrix needs a power-of-two number of slots, got ${slots}`)
  const diagonals = new Map<number, { re: Float64Array; im?: Float64Array }>()
  for (const { row, column, re, im = 0 } of entries) {
    if (
      !(Number.isInteger(row) && Number.isInteger(column) && row >= 0 && row < slots && column >= 0 && column < slots)
    )
      throw new InvalidArgumentError(`entry (${row}, ${column}) lies outside a matrix of ${slots} slots`)
    if (!Number.isFinite(re) || !Number.isFinite(im))
      throw new InvalidArgumentError(`entry (${row}, ${column}) must be finite`)
    if (re === 0 && im === 0) continue
    const step = (column - row + slots) % slots
    let diagonal = diagonals.get(step)
    if (!diagonal) {
      diagonal = { re: new Float64Array(slots) }
      diagonals.set(step, diagonal)
    }
    diagonal.re[row]! += re
    if (im !== 0) {
      diagonal.im ??= new Float64Array(slots)
      diagonal.im[row]! += im
    }
  }
  return { slots, diagonals }
}

/**
 * Diagonals of a dense matrix, padded with zeros to `slots` (default: the next power of two).
 *
 * @throws InvalidArgumentError when the sizes do not fit
 */
export function diagonalsFromDense(matrix: DenseMatrix, slots?: number): DiagonalMatrix {
  const { rows, columns, re, im } = matrix
  if (re.length !== rows * columns || (im && im.length !== re.length))
    throw new InvalidArgumentError(`a ${rows} x ${columns} matrix needs ${rows * columns} values, got ${re.length}`)
  const size = slots ?? 2 ** Math.ceil(Math.log2(Math.max(rows, columns, 1)))
  function* entries(): Generator<MatrixEntry> {
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const i = row * columns + column
        yield { row, column, re: re[i]!, im: im?.[i] ?? 0 }
      }
  }
  return diagonalsFromEntries(size, entries())
}
