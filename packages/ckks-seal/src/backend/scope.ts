import type { SealObject } from './backend.ts'

/**
 * Runs `work` and deletes what it took with `own`, last first, whether it ends well or not: nothing frees SEAL's heap but
 * `delete`.
 */
export function scope<R>(work: (own: <T extends SealObject>(object: T) => T) => R): R {
  const objects: SealObject[] = []
  try {
    return work((object) => {
      objects.push(object)
      return object
    })
  } finally {
    for (const object of objects.reverse()) object.delete()
  }
}

/** Runs `fill` on a fresh object; deletes it when that fails. */
export function filled<T extends SealObject, R>(object: T, fill: (object: T) => void): R {
  try {
    fill(object)
    return object as object as R
  } catch (error) {
    object.delete()
    throw error
  }
}
