import type { z } from 'zod'

/**
 * What a strict schema of `T` is made of: a schema for every member, those that may be absent too, and for nothing else. With
 * `satisfies` it keeps an interface and the schema of its files from drifting apart.
 * @internal
 */
export type SchemaFields<T> = { readonly [K in keyof T]-?: z.ZodType<T[K]> }
