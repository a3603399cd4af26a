/** A node's attributes, read by name with their types checked; what nobody read is an error, because it might matter. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import type { AttributeProto, NodeProto } from '../generated/onnx-subset_pb.ts'
import type { Constant } from './constant.ts'
import { readTensor } from './tensor-data.ts'

const TYPES = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const

export class Attributes {
  readonly #label: string
  readonly #byName = new Map<string, AttributeProto>()
  readonly #read = new Set<string>()

  constructor(node: NodeProto, label: string) {
    this.#label = label
    for (const attribute of node.attribute) {
      if (this.#byName.has(attribute.name))
        throw new FormatError(`${label}: the attribute "${attribute.name}" is given twice`)
      this.#byName.set(attribute.name, attribute)
    }
  }

  get names(): string[] {
    return [...this.#byName.keys()]
  }
  has(name: string): boolean {
    return this.#byName.has(name)
  }
  float(name: string, otherwise: number): number {
    return this.#get(name, 'float')?.f ?? otherwise
  }
  int(name: string, otherwise: number): number {
    const found = this.#get(name, 'int')
    return found ? this.#integer(name, found.i) : otherwise
  }
  /** An integer of any size that is there; beyond 2^53 it comes rounded. */
  roughInt(name: string): number {
    return Number(this.#get(name, 'int')?.i ?? 0n)
  }
  /** Integers of any size; beyond 2^53 they come rounded. */
  roughInts(name: string): number[] | undefined {
    return this.#get(name, 'ints')?.ints.map(Number)
  }
  ints(name: string): number[] | undefined {
    return this.#get(name, 'ints')?.ints.map((v) => this.#integer(name, v))
  }
  floats(name: string): number[] | undefined {
    return this.#get(name, 'floats')?.floats
  }
  string(name: string, otherwise: string): string {
    const found = this.#get(name, 'string')
    return found ? new TextDecoder().decode(found.s) : otherwise
  }
  tensor(name: string): Constant | undefined {
    const found = this.#get(name, 'tensor')
    if (found && !found.t) throw new FormatError(`${this.#label}: the attribute "${name}" holds no tensor`)
    return found?.t && readTensor(found.t, `"${name}" of ${this.#label}`)
  }
  /** Declares attributes that do not matter here. */
  ignore(...names: string[]): void {
    for (const name of names) this.#read.add(name)
  }
  /** @throws UnsupportedError naming an attribute that was not asked for */
  finish(): void {
    for (const name of this.#byName.keys())
      if (!this.#read.has(name))
        throw new UnsupportedError(`${this.#label}: the attribute "${name}" is not supported; export without it`)
  }

  #get(name: string, type: keyof typeof TYPES): AttributeProto | undefined {
    this.#read.add(name)
    const found = this.#byName.get(name)
    // type 0: very old exporters leave it out
    if (found && found.type !== 0 && found.type !== TYPES[type])
      throw new FormatError(`${this.#label}: the attribute "${name}" should be of type ${type}, got type ${found.type}`)
    return found
  }
  #integer(name: string, value: bigint): number {
    const number = Number(value)
    if (!Number.isSafeInteger(number))
      throw new UnsupportedError(`${this.#label}: "${name}" is ${value}, beyond 2^53: export with a smaller number`)
    return number
  }
}
