/** What is in an HDF5 file: groups of arrays, and entries that are sound but not read. */
import { UnsupportedError } from '@he-ml/ckks-core'

/** Numbers or texts, row-major; scalars have the shape []. */
export type HdfArray =
  | { readonly shape: readonly number[]; readonly kind: 'int' | 'float'; readonly data: readonly number[] }
  | { readonly shape: readonly number[]; readonly kind: 'text'; readonly data: readonly string[] }

/** A sound entry of a form that is not taken: it matters only to those who need it. */
export interface HdfUnread {
  readonly unread: string
}

export type HdfEntry = HdfArray | HdfUnread | HdfGroup

export interface HdfGroup {
  readonly [name: string]: HdfEntry
}

export const isHdfArray = (entry: HdfEntry): entry is HdfArray =>
  Array.isArray((entry as HdfArray).data) && Array.isArray((entry as HdfArray).shape)

export const isHdfUnread = (entry: HdfEntry): entry is HdfUnread => typeof (entry as HdfUnread).unread === 'string'

/** @throws UnsupportedError when the entry is one that is not read, saying why */
export function checkRead(entry: HdfEntry | undefined, where: string): Exclude<HdfEntry, HdfUnread> | undefined {
  if (entry && isHdfUnread(entry)) throw new UnsupportedError(`${where}: ${entry.unread}`)
  return entry as Exclude<HdfEntry, HdfUnread> | undefined
}
