/**
 * The client's side in the file system of Node: the ledger beside the secret key.
 *
 * @packageDocumentation
 */
export * from './file-ledger.ts'
