/**
 * What client and server say to each other: a header, checked field by field by whoever receives it, and for some kinds a payload of
 * raw bytes. The version is in the first message of each side; a reader refuses every other.
 *
 *     client: hello                                     server: welcome (payload: the plan)
 *     client: keySet                                    server: keysWanted
 *     client: keyChunk ...                              server: keysReady
 *     client: run, inputChunk ...   cancel              server: progress ..., result, resultChunk ...   or error
 *
 * Another keySet forgets what came of one before.
 */
import { z } from 'zod'

/** Grows with every change that an older reader would misunderstand. */
export const PROTOCOL_VERSION = 1

/** Most bytes of one payload. Larger things come in chunks, in order. */
export const CHUNK_BYTES = 4 * 2 ** 20

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `expected ${2 * bytes} hex digits`)
const bytes = z
  .number()
  .int()
  .min(0)
  .max(2 ** 48)
const protocol = z.literal(PROTOCOL_VERSION)
const fileName = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/, 'expected a plain file name')
/** Chosen by the client, for one connection. */
const run = hex(8)

const keyFile = z.strictObject({
  file: fileName,
  kind: z.enum(['relinearizationKey', 'galoisKey', 'encapsulationKey']),
  level: z.number().int().min(0).max(100),
  galoisElement: z
    .number()
    .int()
    .min(3)
    .max(2 ** 18)
    .optional(),
  bytes: bytes.min(1),
  sha256: hex(32),
})

export const messageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol }),
  /** The plan's document is the payload; `plan` is its content hash. */
  z.strictObject({
    type: z.literal('welcome'),
    protocol,
    engine: z.string().max(64),
    parameters: hex(16),
    plan: hex(32),
    /** Name of the secret key whose keys the server has already. */
    keyId: hex(16).optional(),
  }),
  /** Everything the client would send; the server picks. */
  z.strictObject({
    type: z.literal('keySet'),
    parameters: hex(16),
    plan: hex(32),
    keyId: hex(16),
    keys: z.array(keyFile).max(8192),
  }),
  /** In the order in which the files are to be sent. */
  z.strictObject({ type: z.literal('keysWanted'), files: z.array(fileName).max(8192) }),
  z.strictObject({ type: z.literal('keyChunk'), file: fileName, offset: bytes }),
  z.strictObject({ type: z.literal('keysReady'), keyId: hex(16) }),
  z.strictObject({ type: z.literal('run'), run, bytes: bytes.min(1) }),
  z.strictObject({ type: z.literal('inputChunk'), run, offset: bytes }),
  z.strictObject({ type: z.literal('cancel'), run }),
  z.strictObject({
    type: z.literal('progress'),
    run,
    fraction: z.number().min(0).max(1),
    layer: z.string().max(1024),
    layerIndex: z.number().int().min(0),
    layerCount: z.number().int().min(0),
    elapsedSeconds: z.number().min(0),
    remainingSeconds: z.number().min(0).optional(),
  }),
  z.strictObject({ type: z.literal('result'), run, bytes: bytes.min(1) }),
  z.strictObject({ type: z.literal('resultChunk'), run, offset: bytes }),
  /** Of a run, or of the connection, which ends with it. */
  z.strictObject({
    type: z.literal('error'),
    run: run.optional(),
    code: z.string().max(64),
    message: z.string().max(4096),
  }),
])

/** A header. */
export type MessageHeader = z.infer<typeof messageSchema>
export type MessageType = MessageHeader['type']
/** The header of one kind. */
export type HeaderOf<T extends MessageType> = Extract<MessageHeader, { type: T }>

/** A message. */
export interface Message {
  readonly header: MessageHeader
  readonly payload?: Uint8Array
}

/** The kinds that carry bytes. */
export const WITH_PAYLOAD: ReadonlySet<MessageType> = new Set(['welcome', 'keyChunk', 'inputChunk', 'resultChunk'])
