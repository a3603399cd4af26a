/** The constants of a graph: initialisers, read when somebody asks for them, and what was computed from constants. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import type { TensorProto } from '../generated/onnx-subset_pb.ts'
import type { Constant } from './constant.ts'
import { readTensor } from './tensor-data.ts'

/** Elements that computed constants may hold together, beside one for every byte of the file. */
const FREE_ELEMENTS = 2 ** 26

export class Constants {
  readonly #stored = new Map<string, TensorProto>()
  readonly #known = new Map<string, Constant>()
  #budget: number

  /** @throws FormatError for initialisers without a name, or of the same */
  constructor(initializers: readonly TensorProto[], fileBytes: number) {
    this.#budget = FREE_ELEMENTS + fileBytes
    for (const tensor of initializers) {
      if (tensor.name === '' || this.#stored.has(tensor.name))
        throw new FormatError(`ONNX: an initialiser is named "${tensor.name}", which is empty or taken`)
      this.#stored.set(tensor.name, tensor)
    }
  }

  has(name: string): boolean {
    return this.#known.has(name) || this.#stored.has(name)
  }
  /** @throws what `readTensor` throws */
  get(name: string): Constant | undefined {
    const known = this.#known.get(name)
    if (known) return known
    const stored = this.#stored.get(name)
    if (!stored) return undefined
    const constant = readTensor(stored, `"${name}"`)
    this.#known.set(name, constant)
    return constant
  }
  set(name: string, constant: Constant): void {
    this.#known.set(name, constant)
  }
  /**
   * Asks for room before it is taken.
   * @throws UnsupportedError when the constants would outgrow the file
   */
  reserve(elements: number, label: string): void {
    this.#budget -= elements
    if (!(this.#budget >= 0))
      throw new UnsupportedError(`${label}: constants computed in the graph are too large; export them folded`)
  }
}
