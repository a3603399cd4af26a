/**
 * The server's side of an encrypted network, the messages, and what a transport has to do. The client's is in the `client` subpath.
 *
 * @module index
 */
export { assertNamed } from './assert-named.ts'
export { type Connection, loopback } from './connection.ts'
export { encodeMessage, MessageReader } from './protocol/frames.ts'
export {
  type CancelHeader,
  CHUNK_BYTES,
  type ErrorHeader,
  type HeaderOf,
  type HelloHeader,
  type InputChunkHeader,
  type KeyChunkHeader,
  type KeySetHeader,
  type KeysReadyHeader,
  type KeysWantedHeader,
  type Message,
  type MessageHeader,
  type MessageType,
  PROTOCOL_VERSION,
  type ProgressHeader,
  type ResultChunkHeader,
  type ResultHeader,
  type RunHeader,
  type WelcomeHeader,
} from './protocol/messages.ts'
export { type AnswerOptions, answer } from './server/answer.ts'
export { InferenceServer, type MakeEngineHost, openServer } from './server/inference-server.ts'
export { type KeyDepot, memoryDepot } from './server/key-receiver.ts'
export { type ServerOptions, type ServerResult, type ServerRunOptions, ServerSession } from './server/server-session.ts'
export { maxCiphertextsBytes, maxKeyBytes } from './size-limits.ts'
