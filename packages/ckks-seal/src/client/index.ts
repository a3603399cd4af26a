/**
 * Keys, encryption and decryption on node-seal.
 *
 * @module client
 */
export { createSealClient, type SealClient } from './seal-client.ts'
