import { fileURLToPath } from 'node:url'
import { WorkerProcess } from '../worker-process.ts'
import type { ServerReply, ServerRequest } from './server.worker.ts'

/** The server's process: one request at a time. */
export class ServerProcess extends WorkerProcess<ServerRequest, ServerReply> {
  constructor() {
    super(fileURLToPath(new URL('./server.worker.ts', import.meta.url)))
  }
}
