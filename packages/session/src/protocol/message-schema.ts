/** What a message's header must say, in schemas that are strict and made of just the members of its interfaces. */
import type { EvaluationKeyEntry, SchemaFields } from '@he-ml/ckks-core'
import { z } from 'zod'
import {
  type CancelHeader,
  type ErrorHeader,
  type HelloHeader,
  type InputChunkHeader,
  type KeyChunkHeader,
  type KeySetHeader,
  type KeysReadyHeader,
  type KeysWantedHeader,
  type MessageHeader,
  PROTOCOL_VERSION,
  type ProgressHeader,
  type ResultChunkHeader,
  type ResultHeader,
  type RunHeader,
  type WelcomeHeader,
} from './messages.ts'

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

const keyFile: z.ZodType<EvaluationKeyEntry> = z.strictObject({
  file: fileName,
  kind: z.enum(['relinearizationKey', 'galoisKey', 'encapsulationKey']),
  level: z.number().int().min(0).max(100),
  galoisElement: z
    .number()
    .int()
    .min(3)
    .max(2 ** 18)
    .exactOptional(),
  raising: z
    .array(
      z
        .number()
        .int()
        .min(3)
        .max(2 ** 18),
    )
    .max(4096)
    .exactOptional(),
  bytes: bytes.min(1),
  sha256: hex(32),
} satisfies SchemaFields<EvaluationKeyEntry>)

export const messageSchema: z.ZodType<MessageHeader> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol } satisfies SchemaFields<HelloHeader>),
  z.strictObject({
    type: z.literal('welcome'),
    protocol,
    engine: z.string().max(64),
    parameters: hex(16),
    plan: hex(32),
    keyId: hex(16).exactOptional(),
  } satisfies SchemaFields<WelcomeHeader>),
  z.strictObject({
    type: z.literal('keySet'),
    parameters: hex(16),
    plan: hex(32),
    keyId: hex(16),
    keys: z.array(keyFile).max(8192),
  } satisfies SchemaFields<KeySetHeader>),
  z.strictObject({
    type: z.literal('keysWanted'),
    files: z.array(fileName).max(8192),
  } satisfies SchemaFields<KeysWantedHeader>),
  z.strictObject({ type: z.literal('keyChunk'), file: fileName, offset: bytes } satisfies SchemaFields<KeyChunkHeader>),
  z.strictObject({ type: z.literal('keysReady'), keyId: hex(16) } satisfies SchemaFields<KeysReadyHeader>),
  z.strictObject({ type: z.literal('run'), run, bytes: bytes.min(1) } satisfies SchemaFields<RunHeader>),
  z.strictObject({ type: z.literal('inputChunk'), run, offset: bytes } satisfies SchemaFields<InputChunkHeader>),
  z.strictObject({ type: z.literal('cancel'), run } satisfies SchemaFields<CancelHeader>),
  z.strictObject({
    type: z.literal('progress'),
    run,
    fraction: z.number().min(0).max(1),
    layer: z.string().max(1024),
    layerIndex: z.number().int().min(0),
    layerCount: z.number().int().min(0),
    elapsedSeconds: z.number().min(0),
    remainingSeconds: z.number().min(0).exactOptional(),
  } satisfies SchemaFields<ProgressHeader>),
  z.strictObject({ type: z.literal('result'), run, bytes: bytes.min(1) } satisfies SchemaFields<ResultHeader>),
  z.strictObject({ type: z.literal('resultChunk'), run, offset: bytes } satisfies SchemaFields<ResultChunkHeader>),
  z.strictObject({
    type: z.literal('error'),
    run: run.exactOptional(),
    code: z.string().max(64),
    message: z.string().max(4096),
  } satisfies SchemaFields<ErrorHeader>),
])
