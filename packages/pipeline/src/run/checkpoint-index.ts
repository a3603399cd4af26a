import { FormatError } from '@he-ml/ckks-core'
import { z } from 'zod'

export const INDEX_FILE = 'index.json'

/** A ciphertext, and the hash of its file: another one under the same name is no part of the checkpoint. */
const fileSchema = z.strictObject({ name: z.string(), sha256: z.string() })

const indexSchema = z.strictObject({
  plan: z.string(),
  inputs: z.string(),
  /** Indices of the tasks that are done. */
  done: z.array(z.number().int().nonnegative()).min(1),
  /** What they wrote and later ones read. */
  values: z.array(z.strictObject({ id: z.string(), files: z.array(fileSchema).min(1) })),
})

export type CheckpointFile = z.infer<typeof fileSchema>

/** What a checkpoint holds. */
export type CheckpointIndex = z.infer<typeof indexSchema>

/** Reads it. @throws FormatError naming the field */
export function parseIndex(bytes: Uint8Array): CheckpointIndex {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError(`checkpoint: ${INDEX_FILE}: ${(cause as Error).message}; clear the store to start afresh`, {
      cause,
    })
  }
  const result = indexSchema.safeParse(json)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new FormatError(
    `checkpoint: ${INDEX_FILE}, field "${path.join('.')}": ${message}; clear the store to start afresh`,
  )
}
