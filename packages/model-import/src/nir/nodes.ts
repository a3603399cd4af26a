/** Nodes of a NIR file, field by field: what is read, checked and written. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { checkRead, type HdfArray, type HdfEntry, type HdfGroup, isHdfArray, isHdfUnread } from './hdf5/tree.ts'
import type { NirNode } from './types.ts'

/**
 * What a field is: 'values' of any shape (null where the shape is given by its rank), 'pair' of integers, one 'integer', a 'shape',
 * or a convolution's 'padding'.
 */
type Kind = 'values' | 'matrix' | 'vector' | 'filters' | 'pair' | 'integer' | 'shape' | 'padding'
interface Field {
  readonly kind: Kind
  readonly isOptional?: boolean
  /** Least value of integers; default 0. */
  readonly least?: number
}

const values: Field = { kind: 'values' }
const pooling = {
  kernel_size: { kind: 'pair', least: 1 },
  stride: { kind: 'pair', least: 1 },
  padding: { kind: 'pair' },
} as const
const FIELDS: Readonly<Record<NirNode['type'], Readonly<Record<string, Field>>>> = {
  Input: { shape: { kind: 'shape' } },
  Output: { shape: { kind: 'shape' } },
  Linear: { weight: { kind: 'matrix' } },
  Affine: { weight: { kind: 'matrix' }, bias: { kind: 'vector' } },
  Conv2d: {
    input_shape: { kind: 'pair', isOptional: true, least: 1 },
    weight: { kind: 'filters' },
    bias: { kind: 'vector' },
    stride: { kind: 'pair', least: 1 },
    padding: { kind: 'padding' },
    dilation: { kind: 'pair', least: 1 },
    groups: { kind: 'integer', least: 1 },
  },
  AvgPool2d: pooling,
  SumPool2d: pooling,
  Flatten: {
    start_dim: { kind: 'integer', least: -8 },
    end_dim: { kind: 'integer', least: -8 },
    input_type: { kind: 'shape', isOptional: true },
  },
  LIF: { tau: values, r: values, v_leak: values, v_threshold: values, v_reset: values },
  IF: { r: values, v_threshold: values, v_reset: values },
  LI: { tau: values, r: values, v_leak: values },
  HeMlQIF: { a: values, u1: values, u2: values, v_threshold: values, v_reset: values },
}

/** Node types that exist in NIR and are not supported, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  CubaLIF: 'its synaptic current is a second state: train with LIF, whose input current is not filtered',
  CubaLI: 'its synaptic current is a second state: train with LI, whose input current is not filtered',
  Conv1d: 'write it as a Conv2d of height 1',
  Delay: 'networks here have no delays: remove it and train without',
  I: 'use IF, or LI with a large tau',
  Scale: 'fold it into the weights before or after it',
  Threshold: 'use IF or LIF',
  NIRGraph: 'write the sub-graph into the graph itself (nirtorch and nir can flatten it)',
}

/** Fields of a neuron have one shape; tau is above zero. */
const NEURONS: readonly string[] = ['LIF', 'IF', 'LI', 'HeMlQIF']

const RANKS: Partial<Record<Kind, number>> = { matrix: 2, vector: 1, filters: 4, pair: 1, shape: 1, integer: 0 }

/**
 * One node of a file.
 * @throws FormatError naming node and field; UnsupportedError naming node and type, and what to do
 */
export function readNode(name: string, found: HdfEntry): NirNode {
  const group = checkRead(found, `NIR: node "${name}"`)!
  if (isHdfArray(group)) throw new FormatError(`NIR: node "${name}" is an array, expected a group`)
  const type = typeOf(name, group)
  if (!Object.hasOwn(FIELDS, type))
    throw new UnsupportedError(
      `NIR: node "${name}": the type ${type} is not supported; instead, ${
        Object.hasOwn(INSTEAD, type) ? INSTEAD[type] : `use ${Object.keys(FIELDS).join(', ')}`
      }`,
    )
  const node: Record<string, unknown> = { type }
  for (const [key, field] of Object.entries(FIELDS[type as NirNode['type']])) {
    const entry = checkRead(group[key], `NIR: node "${name}" (${type}): ${key}`)
    if (entry === undefined || (field.isOptional && isHdfArray(entry) && entry.data.length === 0)) {
      if (!field.isOptional && key !== 'v_reset') throw new FormatError(`NIR: node "${name}" (${type}) has no ${key}`)
      continue
    }
    if (!isHdfArray(entry)) throw new FormatError(`NIR: node "${name}" (${type}): ${key} is a group, expected an array`)
    node[key] = readField(entry, field, `NIR: node "${name}" (${type}): ${key}`)
  }
  // files of NIR before 1.0.5 have no v_reset and mean zero
  if ('v_reset' in FIELDS[type as NirNode['type']] && node.v_reset === undefined) {
    const { shape, data } = node.v_threshold as { shape: number[]; data: number[] }
    node.v_reset = { shape, data: data.map(() => 0) }
  }
  const metadata = readMetadata(group.metadata)
  return checkNode(name, { ...node, ...(metadata && { metadata }) } as unknown as NirNode)
}

/** The text in a group's "type". */
export function typeOf(name: string, group: HdfGroup): string {
  const entry = checkRead(group.type, `NIR: node "${name}": type`)
  if (!entry || !isHdfArray(entry) || entry.kind !== 'text' || entry.data.length !== 1)
    throw new FormatError(`NIR: node "${name}" has no text "type"`)
  return entry.data[0]!.slice(0, 100)
}

function readField(entry: HdfArray, { kind, least = 0 }: Field, where: string): unknown {
  if (entry.kind === 'text') {
    if (kind === 'padding' && entry.data.length === 1 && ['same', 'valid'].includes(entry.data[0]!))
      return entry.data[0]
    throw new FormatError(`${where} is a text, expected numbers`)
  }
  const { shape, data } = entry
  if (kind === 'values' || kind === 'matrix' || kind === 'vector' || kind === 'filters') return { shape, data }
  if (entry.kind !== 'int' && !data.every(Number.isInteger)) throw new FormatError(`${where}: expected integers`)
  const wrong = data.find((value) => value < least || value > 2 ** 24)
  if (wrong !== undefined) throw new FormatError(`${where}: expected integers from ${least} to 2^24, got ${wrong}`)
  if (kind === 'integer') {
    if (data.length !== 1) throw new FormatError(`${where}: expected one integer, got ${data.length}`)
    return data[0]
  }
  if (kind === 'shape') {
    if (shape.length !== 1 || data.length < 1 || data.length > 8 || data.includes(0))
      throw new FormatError(`${where}: expected one to eight sizes of at least 1, got [${data.slice(0, 9)}]`)
    return data
  }
  // writers give one number for both directions, or two
  if (data.length !== 1 && data.length !== 2)
    throw new FormatError(`${where}: expected one or two integers, got ${data.length}`)
  return [data[0], data[1] ?? data[0]]
}

/** Single texts and numbers; whatever else a writer left there is no concern of the graph. */
function readMetadata(entry: HdfEntry | undefined): Record<string, string | number> | undefined {
  if (!entry || isHdfArray(entry) || isHdfUnread(entry)) return undefined
  const found = Object.entries(entry).flatMap(([key, value]) =>
    isHdfArray(value) && value.data.length === 1 && key !== '__proto__' ? [[key, value.data[0]!] as const] : [],
  )
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** @throws FormatError when a node's fields do not fit each other */
export function checkNode(name: string, node: NirNode): NirNode {
  const where = `NIR: node "${name}" (${node.type})`
  const fields = FIELDS[node.type]
  const given = node as unknown as Readonly<Record<string, { shape: readonly number[]; data: readonly number[] }>>
  for (const [key, { kind }] of Object.entries(fields)) {
    const rank = RANKS[kind]
    if (kind !== 'values' && kind !== 'matrix' && kind !== 'vector' && kind !== 'filters') continue
    const { shape, data } = given[key]!
    if (shape.reduce((product, d) => product * d, 1) !== data.length || (rank !== undefined && shape.length !== rank))
      throw new FormatError(
        `${where}: ${key} is [${shape}] with ${data.length} values, expected rank ${rank ?? 'that fits'}`,
      )
    if (!data.every(Number.isFinite))
      throw new UnsupportedError(
        `${where}: ${key} holds ${data.find((value) => !Number.isFinite(value))}: only finite values are taken`,
      )
    if (data.length === 0) throw new FormatError(`${where}: ${key} is empty`)
  }
  if (NEURONS.includes(node.type)) {
    const [first, ...others] = Object.keys(fields)
    const shape = given[first!]!.shape
    for (const key of others)
      if (given[key]!.shape.join() !== shape.join())
        throw new FormatError(`${where}: ${key} is [${given[key]!.shape}], ${first} is [${shape}]: expected one shape`)
    if ('tau' in node && !node.tau.data.every((tau) => tau > 0))
      throw new FormatError(`${where}: expected tau above 0 s, got ${node.tau.data.find((tau) => !(tau > 0))}`)
  }
  if ((node.type === 'Affine' || node.type === 'Conv2d') && node.bias.shape[0] !== node.weight.shape[0])
    throw new FormatError(`${where}: bias has ${node.bias.shape[0]} values for ${node.weight.shape[0]} outputs`)
  if (node.type === 'Conv2d' && node.weight.shape[0]! % node.groups !== 0)
    throw new FormatError(`${where}: ${node.weight.shape[0]} outputs do not split into ${node.groups} groups`)
  return node
}

/** A node as a file has it. */
export function writeNode(node: NirNode): HdfGroup {
  const group: Record<string, HdfArray | HdfGroup> = { type: text(node.type) }
  const given = node as unknown as Readonly<Record<string, unknown>>
  for (const [key, { kind }] of Object.entries(FIELDS[node.type])) {
    const value = given[key]
    if (value === undefined) continue
    if (typeof value === 'string') group[key] = text(value)
    else if (typeof value === 'number') group[key] = { shape: [], kind: 'int', data: [value] }
    else if (Array.isArray(value)) group[key] = { shape: [value.length], kind: 'int', data: value as number[] }
    else group[key] = { ...(value as { shape: number[]; data: number[] }), kind: kind === 'integer' ? 'int' : 'float' }
  }
  if (node.metadata && Object.keys(node.metadata).length > 0)
    group.metadata = Object.fromEntries(
      Object.entries(node.metadata).map(([key, value]) => [
        key,
        typeof value === 'string' ? text(value) : { shape: [], kind: 'float' as const, data: [value] },
      ]),
    )
  return group
}

export const text = (value: string): HdfArray => ({ shape: [], kind: 'text', data: [value] })
