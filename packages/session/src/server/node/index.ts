/**
 * Servers from folders in the file system of Node, and connections over its streams.
 *
 * @module node
 */
export { streamConnection } from '../../files/stream-connection.ts'
export { assertNoSecretKey } from './assert-no-secret-key.ts'
export { openServerFolder, type ServerFolder } from './open-server-folder.ts'
