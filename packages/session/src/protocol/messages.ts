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
import type { EvaluationKeyEntry } from '@he-ml/ckks-core'

/** Grows with every change that an older reader would misunderstand. */
export const PROTOCOL_VERSION = 1

/** Most bytes of one payload. Larger things come in chunks, in order. */
export const CHUNK_BYTES = 4 * 2 ** 20

/** The client's first message. */
export interface HelloHeader {
  /** Names the form. */
  readonly type: 'hello'
  /** The version that the client speaks. */
  readonly protocol: typeof PROTOCOL_VERSION
}

/** The server's first message. The plan's document is the payload. */
export interface WelcomeHeader {
  /** Names the form. */
  readonly type: 'welcome'
  /** The version that the server speaks. */
  readonly protocol: typeof PROTOCOL_VERSION
  /** Name of the engine: keys and ciphertexts must be in its format. */
  readonly engine: string
  /** `Parameters.id` of the plan's parameters. */
  readonly parameters: string
  /** Content hash of the plan. */
  readonly plan: string
  /** Name of the secret key whose keys the server has already. Absent: it has none. */
  readonly keyId?: string
}

/** Everything the client would send; the server picks. */
export interface KeySetHeader {
  /** Names the form. */
  readonly type: 'keySet'
  /** `Parameters.id` of the keys. */
  readonly parameters: string
  /** Content hash of the plan that the keys are for. */
  readonly plan: string
  /** Name of the secret key behind them. */
  readonly keyId: string
  /** One entry per key, 8,192 at most. */
  readonly keys: readonly EvaluationKeyEntry[]
}

/** What the server wants of it. */
export interface KeysWantedHeader {
  /** Names the form. */
  readonly type: 'keysWanted'
  /** In the order in which the files are to be sent; none where the server has them all. */
  readonly files: readonly string[]
}

/** A part of a key's file, which is the payload. */
export interface KeyChunkHeader {
  /** Names the form. */
  readonly type: 'keyChunk'
  /** As listed. */
  readonly file: string
  /** Where the payload begins in the file, in bytes. */
  readonly offset: number
}

/** All keys are there: runs may begin. */
export interface KeysReadyHeader {
  /** Names the form. */
  readonly type: 'keysReady'
  /** Name of the secret key behind them. */
  readonly keyId: string
}

/** The client wants an input to be run; its file follows in chunks. */
export interface RunHeader {
  /** Names the form. */
  readonly type: 'run'
  /** Name of the run: 16 hex digits, chosen by the client, for one connection. */
  readonly run: string
  /** Length of the input's file. */
  readonly bytes: number
}

/** A part of an input's file, which is the payload. */
export interface InputChunkHeader {
  /** Names the form. */
  readonly type: 'inputChunk'
  /** Name of the run. */
  readonly run: string
  /** Where the payload begins in the file, in bytes. */
  readonly offset: number
}

/** The client does not want the result any more. */
export interface CancelHeader {
  /** Names the form. */
  readonly type: 'cancel'
  /** Name of the run. */
  readonly run: string
}

/** Where a run is; see `RunProgress` of @he-ml/pipeline. */
export interface ProgressHeader {
  /** Names the form. */
  readonly type: 'progress'
  /** Name of the run. */
  readonly run: string
  /** Estimated share of the work that is done, 0 to 1. */
  readonly fraction: number
  /** Layer or bootstrap being worked on, or the last one. */
  readonly layer: string
  /** Its index in the plan's order, from 0. */
  readonly layerIndex: number
  /** Tasks of the plan. */
  readonly layerCount: number
  /** Since the run began. */
  readonly elapsedSeconds: number
  /** Estimate; absent at the very beginning. */
  readonly remainingSeconds?: number
}

/** A run has ended; the file of its result follows in chunks. */
export interface ResultHeader {
  /** Names the form. */
  readonly type: 'result'
  /** Name of the run. */
  readonly run: string
  /** Length of the result's file. */
  readonly bytes: number
}

/** A part of a result's file, which is the payload. */
export interface ResultChunkHeader {
  /** Names the form. */
  readonly type: 'resultChunk'
  /** Name of the run. */
  readonly run: string
  /** Where the payload begins in the file, in bytes. */
  readonly offset: number
}

/** Something failed: a run, or the connection, which ends with it. */
export interface ErrorHeader {
  /** Names the form. */
  readonly type: 'error'
  /** Name of the run; absent: the connection. */
  readonly run?: string
  /** `HeMlError.code` of the error, for programs. */
  readonly code: string
  /** For people; up to 4,096 characters. */
  readonly message: string
}

/** A header. */
export type MessageHeader =
  | HelloHeader
  | WelcomeHeader
  | KeySetHeader
  | KeysWantedHeader
  | KeyChunkHeader
  | KeysReadyHeader
  | RunHeader
  | InputChunkHeader
  | CancelHeader
  | ProgressHeader
  | ResultHeader
  | ResultChunkHeader
  | ErrorHeader
/** What a message is about, as its header says. */
export type MessageType = MessageHeader['type']
/** The header of one kind. */
export type HeaderOf<T extends MessageType> = Extract<MessageHeader, Record<'type', T>>

/** A message. */
export interface Message {
  /** What it says. */
  readonly header: MessageHeader
  /** Raw bytes, of `welcome` and of chunks only; up to {@link CHUNK_BYTES}, the plan of `welcome` up to 64 MiB. */
  readonly payload?: Uint8Array
}

/** The kinds that carry bytes. */
export const WITH_PAYLOAD: ReadonlySet<MessageType> = new Set(['welcome', 'keyChunk', 'inputChunk', 'resultChunk'])
