/**
 * The client's side: secret keys, encryption, decryption, and the policy for publishing results.
 *
 * @module client
 */
export * from './assert-publishable.ts'
export * from './base-client-engine.ts'
export * from './client-engine.ts'
export type { FileFacts } from './file-facts.ts'
export { type FloodingNeeds, floodingSigma } from './flooding-sigma.ts'
export { type KeyHeader, keyFileName, keyHeader } from './key-header.ts'
export { type KeyOffer, offerKeyFiles } from './key-offer.ts'
export * from './ledger/ledger.ts'
export { formatLedger, parseLedger } from './ledger/ledger-format.ts'
export * from './ledger/memory-ledger.ts'
export type { LedgerStart } from './ledger/start-ledger.ts'
export type { EncryptionTask } from './prepare-encryption.ts'
export type { PublicationOptions, PublishedSlots } from './publication.ts'
export * from './secret-key.ts'
