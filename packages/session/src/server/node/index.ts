/**
 * Servers from folders in the file system of Node.
 *
 * @packageDocumentation
 */
export { openServerFolder, type ServerFolder } from './open-server-folder.ts'
