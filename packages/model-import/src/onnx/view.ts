/**
 * How an ONNX value is seen in a tensor of the model. A Transpose, Reshape, Squeeze or Slice moves nothing: it changes the
 * list of steps by which the elements are walked. Each ONNX dimension is a list of atoms (a size, and elements per step), the
 * batch dimension is an atom of its own, and only who reads the value in another order than it lies in needs a layer.
 */
import type { Shape } from '@he-ml/model'

export interface Atom {
  readonly size: number
  /** Elements of the node's tensor moved by one step. */
  readonly stride: number
}

/** The batch dimension; it has size 1 in a model, and none of it exists where the file fixes the batch to 1. */
export const BATCH: Atom = { size: 1, stride: 0 }

/** One ONNX dimension: the product of its atoms, slowest first. */
export type Dim = readonly Atom[]

export interface View {
  /** Name of the node whose tensor is seen. */
  readonly node: string
  readonly offset: number
  readonly dims: readonly Dim[]
  /** Not floating point: only a Cast may compute with it. */
  readonly integer?: boolean
}

/** Size per image. */
export const dimSize = (dim: Dim): number => dim.reduce((product, a) => product * a.size, 1)
export const isBatch = (dim: Dim): boolean => dim.includes(BATCH)
export const sizesOf = (dims: readonly Dim[]): number[] => dims.map(dimSize)

/** Row-major dimensions of a tensor. */
export function contiguous(shape: Shape): Dim[] {
  let stride = 1
  const dims: Dim[] = []
  for (let i = shape.length - 1; i >= 0; i--) {
    dims.unshift(shape[i]! > 1 ? [{ size: shape[i]!, stride }] : [])
    stride *= shape[i]!
  }
  return dims
}

/** All atoms in order, neighbours that are one walk joined; the batch stays apart. */
export function walk(dims: readonly Dim[]): Atom[] {
  const atoms: Atom[] = []
  for (const atom of dims.flat()) {
    const last = atoms[atoms.length - 1]
    if (last && atom !== BATCH && last !== BATCH && last.stride === atom.size * atom.stride)
      atoms[atoms.length - 1] = { size: last.size * atom.size, stride: atom.stride }
    else if (atom === BATCH || atom.size > 1) atoms.push(atom)
  }
  return atoms
}

/** The walk without the batch; undefined when the batch does not come first. */
export function imageWalk(dims: readonly Dim[]): Atom[] | undefined {
  const atoms = walk(dims)
  const at = atoms.indexOf(BATCH)
  if (at > 0) return undefined
  return at === 0 ? atoms.slice(1) : atoms
}

/** Whether two values walk their tensors alike. */
export const sameWalk = (a: View, b: View): boolean =>
  a.offset === b.offset &&
  JSON.stringify(a.dims.map((d) => walk([d]).map(key))) === JSON.stringify(b.dims.map((d) => walk([d]).map(key)))

const key = (atom: Atom) => (atom === BATCH ? 'batch' : [atom.size, atom.stride])

/** A batch size that divides nothing else, so that an open batch keeps to itself in products. */
const STAND_IN = 1_048_573

export type Reshaped = { readonly dims: Dim[] } | { readonly problem: 'size' | 'order' | 'batch' }

/** Sizes wanted; `batch` multiplies by the batch size. */
export interface WantedDim {
  readonly size: number
  readonly batch: boolean
}

/**
 * The same walk cut into other dimensions; 'order' when that needs the elements in row-major order first, 'batch' when the
 * batch would be torn.
 * @param batchSize where the file fixes it
 * @param wanted one of them may be undefined: whatever is left
 */
export function reshaped(
  dims: readonly Dim[],
  wanted: readonly (WantedDim | undefined)[],
  batchSize?: number,
): Reshaped {
  const batch = batchSize ?? STAND_IN
  const atoms = walk(dims).map((a) => (a === BATCH ? { atom: a, left: batch } : { atom: a, left: a.size }))
  const total = atoms.reduce((product, a) => product * a.left, 1)
  const sizes = wanted.map((w) => w && w.size * (w.batch ? batch : 1))
  const known = sizes.reduce<number>((product, s) => product * (s ?? 1), 1)
  const full = sizes.map((s) => s ?? total / known)
  if (known === 0 || full.some((s) => !Number.isInteger(s)) || full.reduce((a, b) => a * b, 1) !== total)
    return { problem: 'size' }
  const result: Dim[] = []
  let at = 0
  for (const size of full) {
    const dim: Atom[] = []
    let need = size
    while (need > 1) {
      const next = atoms[at]!
      if (need % next.left === 0) {
        dim.push(next.atom === BATCH ? BATCH : { size: next.left, stride: next.atom.stride })
        need /= next.left
        at++
      } else if (next.atom === BATCH) return { problem: 'batch' }
      else if (next.left % need === 0) {
        next.left /= need
        dim.push({ size: need, stride: next.atom.stride * next.left })
        need = 1
      } else return { problem: 'order' }
    }
    result.push(dim)
  }
  return { dims: result }
}
