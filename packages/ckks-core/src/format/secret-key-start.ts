/** Secret keys told by how their files begin, whatever they are called and however they end: cut or damaged ones are secret, too. */
import { FormatError } from '../errors/errors.ts'
import { decodeHeader } from './header-codec.ts'
import { PRELUDE_BYTES, parsePrelude } from './layout.ts'

/** As many bytes of a file as tell; the header of a secret key takes fewer. */
export const SECRET_KEY_START_BYTES = 4096

/**
 * Whether bytes begin as those of a secret key do: of a container of ours, or of an uncompressed file of SEAL.
 *
 * @param start the first {@link SECRET_KEY_START_BYTES} bytes of a file, or as many as it has
 */
export const isSecretKeyStart = (start: Uint8Array): boolean => isContainerOfKey(start) || isKeyOfSeal(start)

function isContainerOfKey(start: Uint8Array): boolean {
  try {
    // whether the rest is there says nothing of what is
    const end = PRELUDE_BYTES + parsePrelude(start, Number.POSITIVE_INFINITY)
    return end <= start.length && decodeHeader(start.subarray(PRELUDE_BYTES, end)).kind === 'secretKey'
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

/** Bytes that files of SEAL begin with. */
const SEAL_MAGIC = [0x5e, 0xa1] as const
/** Behind header, hash and the number of residues: of a secret key the scale 1, and behind it the header of its residues. */
const [SCALE_AT, RESIDUES_AT] = [56, 64] as const

/** Keys that switch have the number of their digits in place of the scale, ciphertexts the last byte of their size and most of N. */
function isKeyOfSeal(start: Uint8Array): boolean {
  if (start.length < RESIDUES_AT + 2) return false
  const isMagic = (at: number): boolean => SEAL_MAGIC.every((byte, i) => start[at + i] === byte)
  const scale = new DataView(start.buffer, start.byteOffset).getFloat64(SCALE_AT, true)
  return isMagic(0) && isMagic(RESIDUES_AT) && scale === 1
}
