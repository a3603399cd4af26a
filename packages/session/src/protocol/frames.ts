/**
 * Messages as bytes, for sockets, workers and requests:
 *
 *     'HEM1'   u32 bytes of the header   u32 bytes of the payload   header, JSON in UTF-8   payload
 *
 * little endian. A reader holds one frame at most, and refuses lengths before it makes room for them.
 */
import { FormatError } from '@he-ml/ckks-core'
import { messageSchema } from './message-schema.ts'
import { CHUNK_BYTES, type Message, WITH_PAYLOAD } from './messages.ts'

const MAGIC = new TextEncoder().encode('HEM1')
const PRELUDE = MAGIC.length + 8
/** The longest header lists some thousand keys. */
const MAX_HEADER = 2 ** 22
/** Plans may be larger than a chunk. */
const MAX_PAYLOAD = 64 * 2 ** 20

/** Checks a message as its receiver would, and returns it. @throws FormatError naming the field */
export function checkMessage({
  header,
  payload,
}: {
  readonly header: unknown
  readonly payload?: Uint8Array
}): Message {
  const result = messageSchema.safeParse(header)
  if (!result.success) {
    const issue = result.error.issues[0]!
    const type = (header as { type?: unknown } | null)?.type
    throw new FormatError(
      `message ${JSON.stringify(type ?? null)}: ${issue.path.join('.') || 'header'}: ${issue.message}`,
    )
  }
  const { type } = result.data
  if (WITH_PAYLOAD.has(type) !== (payload !== undefined))
    throw new FormatError(`message "${type}": ${payload ? 'expected no payload' : 'its payload is missing'}`)
  if (payload !== undefined && payload.length > (type === 'welcome' ? MAX_PAYLOAD : CHUNK_BYTES))
    throw new FormatError(`message "${type}": a payload of ${payload.length} bytes is too large`)
  return payload === undefined ? { header: result.data } : { header: result.data, payload }
}

/** The frame of a message, its payload uncopied. @throws FormatError for a message that no reader would take */
export function encodeMessage(message: Message): [start: Uint8Array, payload?: Uint8Array] {
  const { header, payload } = checkMessage(message)
  const json = new TextEncoder().encode(JSON.stringify(header))
  if (json.length > MAX_HEADER) throw new FormatError(`message "${header.type}": a header of ${json.length} bytes`)
  const start = new Uint8Array(PRELUDE + json.length)
  const view = new DataView(start.buffer)
  start.set(MAGIC)
  view.setUint32(4, json.length, true)
  view.setUint32(8, payload?.length ?? 0xffffffff, true)
  start.set(json, PRELUDE)
  return payload === undefined ? [start] : [start, payload]
}

/** Takes bytes as they come, gives messages as they are complete. */
export class MessageReader {
  #parts: Uint8Array[] = []
  #length = 0

  /** @throws FormatError; the reader is of no use afterwards */
  push(bytes: Uint8Array): Message[] {
    this.#parts.push(bytes)
    this.#length += bytes.length
    const messages: Message[] = []
    for (let next = this.#next(); next !== undefined; next = this.#next()) messages.push(next)
    return messages
  }

  /** @throws FormatError when the bytes ended within a message */
  end(): void {
    if (this.#length > 0) throw new FormatError(`the connection ended within a message, after ${this.#length} bytes`)
  }

  #next(): Message | undefined {
    if (this.#length < PRELUDE) return undefined
    const prelude = this.#peek(PRELUDE)
    if (MAGIC.some((byte, i) => prelude[i] !== byte)) throw new FormatError('expected a message, got something else')
    const view = new DataView(prelude.buffer, prelude.byteOffset)
    const header = view.getUint32(4, true)
    const given = view.getUint32(8, true)
    const payload = given === 0xffffffff ? undefined : given
    if (header > MAX_HEADER || (payload ?? 0) > MAX_PAYLOAD)
      throw new FormatError(`a message announces ${header} and ${payload ?? 0} bytes: too large`)
    const total = PRELUDE + header + (payload ?? 0)
    if (this.#length < total) return undefined
    const frame = this.#take(total)
    const json = parseJson(frame.subarray(PRELUDE, PRELUDE + header))
    return checkMessage(
      payload === undefined ? { header: json } : { header: json, payload: frame.subarray(PRELUDE + header) },
    )
  }

  #peek(length: number): Uint8Array {
    const first = this.#parts[0]!
    if (first.length < length) this.#parts = [concat(this.#parts, this.#length)]
    return this.#parts[0]!
  }

  #take(length: number): Uint8Array {
    if (this.#parts[0]!.length < length) this.#parts = [concat(this.#parts, this.#length)]
    const first = this.#parts[0]!
    const rest = first.subarray(length)
    if (rest.length > 0) this.#parts[0] = rest
    else this.#parts.shift()
    this.#length -= length
    return first.subarray(0, length)
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError('a message whose header is no JSON', { cause })
  }
}
