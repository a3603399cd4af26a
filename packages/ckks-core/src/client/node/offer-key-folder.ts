import { join } from 'node:path'
import { MissingKeyError } from '../../errors/errors.ts'
import { readKeySet } from '../../node/key-set-file.ts'
import { readOrdinaryFile } from '../../node/read-ordinary-file.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import type { KeyOffer } from '../key-offer.ts'

/**
 * The keys of a folder that `writeKeyFolder` made, for a server; one file at a time is in memory.
 *
 * @param plan content hash of the plan that the keys must be for
 * @throws MissingKeyError when the set is not complete or does not name its secret key; FormatError, ParameterMismatchError
 */
export async function offerKeyFolder(path: string, parameters: AnyParameters, plan?: string): Promise<KeyOffer> {
  const { folder, header } = await readKeySet(path, parameters, plan)
  if (header.keyId === undefined) throw new MissingKeyError(`${path}: the key set names no secret key: make it again`)
  return {
    keyId: header.keyId,
    entries: header.keys,
    read: ({ file, bytes }) =>
      readOrdinaryFile(join(folder, file), { maxBytes: bytes, what: 'the listed key', links: 'refuse' }),
  }
}
