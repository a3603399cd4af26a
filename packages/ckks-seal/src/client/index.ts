/**
 * Keys, encryption and decryption on node-seal.
 *
 * @packageDocumentation
 */
export { createSealClient, type SealClient } from './seal-client.ts'
