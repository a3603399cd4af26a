import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '@he-ml/ckks-core/node'

/** A checkpoint on disk: for `train`'s options `checkpoint` and `resume`. */
export interface CheckpointFile {
  /** Replaces the file whole; a process that dies while writing leaves the old one. */
  write(bytes: Uint8Array): Promise<void>
  /** The file's bytes; undefined when there is none yet. */
  read(): Promise<Uint8Array | undefined>
}

/**
 * A checkpoint under this path. Write to it and resume from it with the same options, and a run that was killed goes on.
 *
 * @example
 * ```ts no-run
 * const file = checkpointFile('run/checkpoint.safetensors')
 * const resume = await file.read()
 * await train(network, { data, recipe, checkpoint: { everySteps: 100, write: file.write }, ...(resume && { resume }) })
 * ```
 */
export function checkpointFile(path: string): CheckpointFile {
  return {
    write: (bytes) => writeFileAtomic(path, bytes),
    async read() {
      try {
        return await readFile(path)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }
    },
  }
}
