/** A socket in the file system that its owner alone can open. */
import { once } from 'node:events'
import { lstat, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { FileSystemError, InvalidArgumentError } from '@he-ml/ckks-core'

/** Bytes of a socket's path: the system cuts longer ones off and listens elsewhere. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

/**
 * Listens where nobody does. What a server that was killed left behind is taken over.
 * @throws InvalidArgumentError where somebody listens, or something else lies there; the file system's errors
 */
export async function listenLocally(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const bytes = Buffer.byteLength(path)
  if (process.platform !== 'win32' && bytes > LONGEST_PATH)
    throw new InvalidArgumentError(
      `${path}: a socket's path has at most ${LONGEST_PATH} bytes, this one has ${bytes}: name a shorter one`,
    )
  const found = await lstat(path).catch(() => undefined)
  if (found && !found.isSocket()) throw new InvalidArgumentError(`${path} exists and is no socket: name another path`)
  if (found && (await isAnswered(path)))
    throw new InvalidArgumentError(`a server listens at ${path} already: stop it, or name another path`)
  if (found) await rm(path, { force: true })
  const server = createServer(onConnection)
  // nobody else may connect, from the first moment
  const mask = process.umask(0o177)
  try {
    server.listen(path)
    await once(server, 'listening')
  } finally {
    process.umask(mask)
  }
  return server
}

/** @throws FileSystemError where nobody listens */
export async function connectLocally(path: string): Promise<Socket> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch (cause) {
    const { code = 'ENOENT' } = cause as { code?: string }
    throw new FileSystemError(path, code, `no server listens there: start one with he-ml serve --socket ${path}`, {
      cause,
    })
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
