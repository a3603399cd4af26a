/**
 * Keys, encryption and decryption on node-seal.
 *
 * @module client
 */
export {
  describeSealFile,
  looksLikeSeal,
  SEAL_HEADER_BYTES,
  type SealObjectDescription,
  type SealObjectFacts,
  type SealRing,
  sealObjectBytes,
} from './describe-seal-file.ts'
export { createSealClient, type SealClient } from './seal-client.ts'
