/**
 * What a header may say, kind by kind. Schemas are strict: an unknown field is an error, so that no two readers can
 * understand one file differently. What depends on the parameters (levels, lengths) is checked in check-header.ts.
 */
import { z } from 'zod'

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

const base = {
  /** `Parameters.id` of the parameters everything in the file belongs to. */
  parameters: hex(16),
  /** Content hash of the plan it was made for. */
  plan: hex(32).optional(),
  /** Random name of the secret key behind it; tells a wrong key from a wrong result. */
  keyId: hex(16).optional(),
  /** Free text for people and for `inspect`; no meaning to the library. */
  labels: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), z.string().max(1024))
    .refine((r) => Object.keys(r).length <= 64, 'expected at most 64 labels')
    .optional(),
  /** Made under insecure parameters, by a test; every other reader refuses it. */
  insecure: z.literal(true).optional(),
  /** Bytes of each segment, padding excluded. */
  segments: z.array(count(MAX_BYTES)).max(MAX_OBJECTS),
}

const ciphertextObject = z.strictObject({
  name: name.optional(),
  level,
  scale,
  /** Period of the slot vector. */
  slots: powerOfTwo,
  degree: z.union([z.literal(1), z.literal(2)]),
  /** Whether c1 is a 32-byte seed at the start of the segment. */
  seeded: z.boolean(),
  /** Limbs per polynomial. */
  limbs,
})

const switchingKey = {
  ...base,
  level,
  seeded: z.boolean(),
  /** Limbs per polynomial, special primes included. */
  limbs,
  digits: z.number().int().min(1).max(1024),
}

const keyFile = z.strictObject({
  /** A plain name in the manifest's own folder. */
  file: z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/, 'expected a plain file name'),
  kind: z.enum(['publicKey', 'relinearizationKey', 'galoisKey', 'encapsulationKey']),
  level,
  galoisElement: galoisElement.optional(),
  bytes: z.number().int().min(1).max(MAX_BYTES),
  /** SHA-256 of the whole file. */
  sha256: hex(32),
})

/** Every header. */
export const headerSchema = z.discriminatedUnion('kind', [
  /** One segment per object: an optional seed, then c0, c1, c2 limb by limb. */
  z.strictObject({
    kind: z.literal('ciphertext'),
    ...base,
    /** Random name of the encrypted input that it is, or the result of. */
    request: hex(16).optional(),
    objects: z.array(ciphertextObject).min(1).max(MAX_OBJECTS),
  }),
  z.strictObject({ kind: z.literal('publicKey'), ...base, level, seeded: z.boolean(), limbs }),
  /** One segment: N coefficients of 2 bits. */
  z.strictObject({ kind: z.literal('secretKey'), ...base, logN: z.number().int().min(10).max(17) }),
  z.strictObject({ kind: z.literal('relinearizationKey'), ...switchingKey }),
  z.strictObject({ kind: z.literal('galoisKey'), ...switchingKey, galoisElement }),
  /** Two segments: the switch to the ephemeral secret at level 0, and the switch back at `level`. */
  z.strictObject({ kind: z.literal('encapsulationKey'), ...switchingKey }),
  /** No segments: the list of evaluation key files that belong together. */
  z.strictObject({ kind: z.literal('keySet'), ...base, keys: z.array(keyFile).max(MAX_OBJECTS) }),
  /** Decrypted values: one segment of float64, little endian, per tensor. */
  z.strictObject({
    kind: z.literal('result'),
    ...base,
    /** Absent: private, not to be shown to others. Present: how it was made safe to publish. */
    published: z
      .strictObject({
        queries: z.number().int().min(1),
        statisticalBits: z.number().gt(0).max(256),
        sigma: z
          .number()
          .gt(0)
          .lt(2 ** 200),
        precisionBits: z.number(),
      })
      .optional(),
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
        }),
      )
      .min(1)
      .max(MAX_OBJECTS),
  }),
  /** One segment: canonical JSON in UTF-8, whose SHA-256 is contentHash. */
  z.strictObject({ kind: z.literal('plan'), ...base, contentHash: hex(32) }),
])

/** A checked header. */
export type FileHeader = z.infer<typeof headerSchema>
/** 'ciphertext', 'publicKey', 'secretKey', 'relinearizationKey', 'galoisKey', 'encapsulationKey', 'keySet', 'result' or 'plan'. */
export type FileKind = FileHeader['kind']
/** The header of one kind. */
export type HeaderOf<K extends FileKind> = Extract<FileHeader, { kind: K }>
/** One ciphertext of a file. */
export type CiphertextObject = HeaderOf<'ciphertext'>['objects'][number]
/** One line of a key set. */
export type KeyFileEntry = HeaderOf<'keySet'>['keys'][number]
/** Kinds of files that hold an evaluation key. */
export type EvaluationKeyKind = Exclude<KeyFileEntry['kind'], 'publicKey'>
/** The line of an evaluation key. */
export type EvaluationKeyEntry = KeyFileEntry & { readonly kind: EvaluationKeyKind }
type Given<H> = H extends unknown ? Omit<H, 'segments' | 'insecure'> : never
/** What a writer gives: the header without the lengths and the mark of insecure parameters, which follow. */
export type HeaderInput = Given<FileHeader>
