/** The sizes of all that a server will read, before any of it is. */
import { assertSize, type ListedKeys, listKeys, ordinaryFileSize, type ReadOptions } from '@he-ml/ckks-core/node'
import { assertNamed, type ServerSession } from '@he-ml/session'
import { assertRoom, type Ceiling } from './judge-memory.ts'

/** What is going to be read. */
export interface ToRead {
  /** Folder of the evaluation keys. */
  readonly evaluation: string
  /** Files of encrypted inputs, one read at a time; none where they come later. */
  readonly inputs: readonly string[]
  readonly limits: ReadOptions
}

/** @throws MemoryError; UnsupportedError for keys without an id; as `listKeys` and `ordinaryFileSize` */
export async function judgeSizes(
  { bound: { plan, parameters }, wantedKeys }: ServerSession,
  { evaluation, inputs, limits }: ToRead,
  ceiling: Ceiling,
): Promise<void> {
  const listed: ListedKeys = await listKeys(evaluation, parameters, wantedKeys, plan.id)
  assertNamed(listed.keyId, evaluation)
  assertRoom(plan, listed, 0, ceiling)
  for (const file of inputs) {
    const size = await ordinaryFileSize(file)
    assertSize(file, size, limits)
    assertRoom(plan, listed, size, ceiling)
  }
}
