/**
 * The client's side in the file system of Node: the ledger beside the secret key, and folders of evaluation keys for the server.
 *
 * @module client/node
 */
export * from './file-ledger.ts'
export { type LockOptions, lockFolder, withLockFile } from './lock-file.ts'
export { offerKeyFolder } from './offer-key-folder.ts'
export { type WriteKeyFolderOptions, type WrittenKeys, writeKeyFolder } from './write-key-folder.ts'
