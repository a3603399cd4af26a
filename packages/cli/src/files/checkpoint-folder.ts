/**
 * Checkpoints in a folder, each file whole or absent. They live in a subfolder of their own, because they are removed as a whole
 * when the run is over, and the folder that a person named may hold other things.
 */
import { mkdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FileSystemError, FormatError } from '@he-ml/ckks-core'
import { onFile, readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import type { CheckpointStore } from '@he-ml/pipeline'

const OWN_FOLDER = 'he-ml-checkpoint'

/** A store in `folder`, which is made when needed; no file in it has more than `maxBytes`. */
export function folderStore(folder: string, maxBytes: number): CheckpointStore {
  const own = join(folder, OWN_FOLDER)
  const place = (name: string): string => {
    // names read back from an index are not to be trusted
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(name))
      throw new FormatError(`${own}: "${name}" is no checkpoint file: delete the folder to start afresh`)
    return join(own, name)
  }
  return {
    async put(name, content) {
      await onFile(own, mkdir(own, { recursive: true }))
      await writeFileAtomic(place(name), content)
    },
    async get(name) {
      try {
        return await readOrdinaryFile(place(name), { maxBytes, what: 'a checkpoint', links: 'refuse' })
      } catch (error) {
        if (error instanceof FileSystemError && error.systemCode === 'ENOENT') return undefined
        throw error
      }
    },
    async delete(name) {
      await onFile(own, rm(place(name), { force: true }))
    },
    async clear() {
      await onFile(own, rm(own, { recursive: true, force: true }))
      // gone too when nothing else is in it
      await rmdir(folder).catch(() => {})
    },
  }
}
