/**
 * The client's side: secret keys, encryption, decryption, and the policy for publishing results.
 *
 * @packageDocumentation
 */
export * from './base-client-engine.ts'
export * from './client-engine.ts'
export * from './publication.ts'
export * from './secret-key.ts'
