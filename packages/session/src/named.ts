import { HeMlError } from '@he-ml/ckks-core'

/** Awaits work on a file; errors of ours begin with its name, unless they have it already. */
export async function named<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof HeMlError && !error.message.includes(name)) error.message = `${name}: ${error.message}`
    throw error
  }
}
