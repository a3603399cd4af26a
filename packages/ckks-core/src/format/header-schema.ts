/**
 * What a header may say, kind by kind. Schemas are strict: an unknown field is an error, so that no two readers can
 * understand one file differently. What depends on the parameters (levels, lengths) is checked in check-header.ts.
 */
import { z } from 'zod'
import type {
  AnyHeader,
  CiphertextHeader,
  CiphertextObject,
  EncapsulationKeyHeader,
  FileHeader,
  GaloisKeyHeader,
  KeyFileEntry,
  KeySetHeader,
  PlanHeader,
  Publication,
  PublicKeyHeader,
  RelinearizationKeyHeader,
  ResultHeader,
  ResultTensor,
  SecretKeyHeader,
  SwitchingKeyHeader,
} from './header.ts'
import type { SchemaFields } from './schema-fields.ts'

const MAX_BYTES = 2 ** 40
const MAX_OBJECTS = 65_536

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `expected ${2 * bytes} hex digits`)
const count = (max: number) => z.number().int().min(0).max(max)
const level = count(100)
const limbs = z.number().int().min(1).max(1024)
const powerOfTwo = z
  .number()
  .int()
  .min(1)
  .max(2 ** 16)
  .refine((n) => Number.isInteger(Math.log2(n)), 'expected a power of two')
const scale = z
  .number()
  .gt(1)
  .lt(2 ** 1000)
const name = z.string().min(1).max(256)
const galoisElement = z
  .number()
  .int()
  .min(3)
  .max(2 ** 18 - 1)
  .refine((n) => n % 2 === 1, 'expected an odd number')
const raising = z.array(galoisElement).max(4096)

const base = {
  parameters: hex(16),
  plan: hex(32).exactOptional(),
  keyId: hex(16).exactOptional(),
  labels: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), z.string().max(1024))
    .refine((r) => Object.keys(r).length <= 64, 'expected at most 64 labels')
    .exactOptional(),
  insecure: z.literal(true).exactOptional(),
  segments: z.array(count(MAX_BYTES)).max(MAX_OBJECTS),
} satisfies SchemaFields<AnyHeader>

const ciphertextObject: z.ZodType<CiphertextObject> = z.strictObject({
  name: name.exactOptional(),
  level,
  scale,
  slots: powerOfTwo,
  degree: z.union([z.literal(1), z.literal(2)]),
  seeded: z.boolean(),
  limbs,
} satisfies SchemaFields<CiphertextObject>)

const switchingKey = {
  ...base,
  level,
  seeded: z.boolean(),
  expansion: z.literal('turboShake128').exactOptional(),
  limbs,
  digits: z.number().int().min(1).max(1024),
} satisfies SchemaFields<Omit<SwitchingKeyHeader, 'kind'>>

const keyFile: z.ZodType<KeyFileEntry> = z.strictObject({
  file: z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/, 'expected a plain file name'),
  kind: z.enum(['publicKey', 'relinearizationKey', 'galoisKey', 'encapsulationKey']),
  level,
  galoisElement: galoisElement.exactOptional(),
  raising: raising.exactOptional(),
  bytes: z.number().int().min(1).max(MAX_BYTES),
  sha256: hex(32),
} satisfies SchemaFields<KeyFileEntry>)

/** Every header. */
export const headerSchema: z.ZodType<FileHeader> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ciphertext'),
    ...base,
    request: hex(16).exactOptional(),
    objects: z.array(ciphertextObject).min(1).max(MAX_OBJECTS),
  } satisfies SchemaFields<CiphertextHeader>),
  z.strictObject({
    kind: z.literal('publicKey'),
    ...base,
    level,
    seeded: z.boolean(),
    limbs,
  } satisfies SchemaFields<PublicKeyHeader>),
  z.strictObject({
    kind: z.literal('secretKey'),
    ...base,
    logN: z.number().int().min(10).max(17),
  } satisfies SchemaFields<SecretKeyHeader>),
  z.strictObject({
    kind: z.literal('relinearizationKey'),
    ...switchingKey,
  } satisfies SchemaFields<RelinearizationKeyHeader>),
  z.strictObject({
    kind: z.literal('galoisKey'),
    ...switchingKey,
    galoisElement,
  } satisfies SchemaFields<GaloisKeyHeader>),
  z.strictObject({
    kind: z.literal('encapsulationKey'),
    ...switchingKey,
    raising: raising.exactOptional(),
  } satisfies SchemaFields<EncapsulationKeyHeader>),
  z.strictObject({
    kind: z.literal('keySet'),
    ...base,
    keys: z.array(keyFile).max(MAX_OBJECTS),
  } satisfies SchemaFields<KeySetHeader>),
  z.strictObject({
    kind: z.literal('result'),
    ...base,
    published: z
      .strictObject({
        queries: z.number().int().min(1),
        statisticalBits: z.number().gt(0).max(256),
        sigma: z
          .number()
          .gt(0)
          .lt(2 ** 200),
        precisionBits: z.number(),
      } satisfies SchemaFields<Publication>)
      .exactOptional(),
    tensors: z
      .array(
        z.strictObject({
          name,
          shape: z
            .array(
              z
                .number()
                .int()
                .min(1)
                .max(2 ** 32),
            )
            .max(8),
          complex: z.boolean(),
        } satisfies SchemaFields<ResultTensor>),
      )
      .min(1)
      .max(MAX_OBJECTS),
  } satisfies SchemaFields<ResultHeader>),
  z.strictObject({ kind: z.literal('plan'), ...base, contentHash: hex(32) } satisfies SchemaFields<PlanHeader>),
])
