/**
 * The client's side in the file system of Node: secret keys and their ledgers, and the folders that clients and servers are deployed from.
 *
 * @module client/node
 */
export { type ClientFolderOptions, createClientFolder, openClientFolder } from './client-folder.ts'
export { assertNotServers } from './folders-apart.ts'
export { assertPlanOfKey, beginKeyLedger, type KeyMemory, keyMemory, ledgerOf } from './key-ledger.ts'
export { looseModes, readKeyBytes, readSecretKey, takeSecretKey, writeSecretKey } from './secret-key-file.ts'
export { type ServerFolderOptions, writeServerFolder } from './server-folder.ts'
