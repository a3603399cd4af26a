/**
 * Evaluation keys of the seal engine in the file system of Node, and the engine as a server uses it.
 *
 * @module node
 */
export { openSealKeyFolder, type SealKeyFolderOptions } from './key-folder.ts'
export { createSealHost, sealHost } from './seal-host.ts'
