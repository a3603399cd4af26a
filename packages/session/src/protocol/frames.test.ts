import { FormatError, HeMlError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { errorHeader, errorOf } from './errors.ts'
import { checkMessage, encodeMessage, MessageReader } from './frames.ts'
import { CHUNK_BYTES, type Message } from './messages.ts'

const run = 'ab'.repeat(8)
const messages: Message[] = [
  { header: { type: 'hello', protocol: 1 } },
  { header: { type: 'inputChunk', run, offset: 7 }, payload: Uint8Array.of(1, 2, 3) },
  { header: { type: 'keysWanted', files: ['a.key', 'b.key'] } },
  { header: { type: 'resultChunk', run, offset: 0 }, payload: new Uint8Array(0) },
  { header: { type: 'error', run, code: 'Memory', message: 'too little' } },
]
const bytes = (): Uint8Array => {
  const parts = messages.flatMap((message) => encodeMessage(message) as Uint8Array[])
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

describe('messages as bytes', () => {
  it('come back the same, however the bytes are cut', () => {
    const all = bytes()
    for (const size of [1, 2, 5, 11, 12, 13, 64, all.length]) {
      const reader = new MessageReader()
      const got: Message[] = []
      for (let at = 0; at < all.length; at += size) got.push(...reader.push(all.subarray(at, at + size)))
      reader.end()
      expect(got).toEqual(messages)
    }
  })

  it('that end within one are told', () => {
    const reader = new MessageReader()
    reader.push(bytes().subarray(0, 40))
    expect(() => reader.end()).toThrow(FormatError)
  })

  it('that are damaged give a typed error or another message, never more room than a frame may have', () => {
    const all = bytes()
    for (let at = 0; at < all.length; at++)
      for (const bit of [1, 64, 128]) {
        const bad = all.map((byte, i) => (i === at ? byte ^ bit : byte))
        try {
          new MessageReader().push(bad)
        } catch (error) {
          expect(error).toBeInstanceOf(HeMlError)
        }
      }
    const huge = encodeMessage(messages[1]!)[0].slice()
    new DataView(huge.buffer).setUint32(8, 2 ** 31, true)
    expect(() => new MessageReader().push(huge)).toThrow(/too large/)
  })

  it.each<[string, { header: unknown; payload?: Uint8Array }, RegExp]>([
    ['an unknown kind', { header: { type: 'secretKey' } }, /secretKey/],
    ['an unknown field', { header: { type: 'hello', protocol: 1, key: 1 } }, /hello/],
    ['another version', { header: { type: 'hello', protocol: 2 } }, /protocol/],
    [
      'a path in place of a name',
      { header: { type: 'keyChunk', file: '../a', offset: 0 }, payload: new Uint8Array(1) },
      /file/,
    ],
    ['no payload', { header: { type: 'inputChunk', run, offset: 0 } }, /payload is missing/],
    ['a payload', { header: { type: 'cancel', run }, payload: new Uint8Array(1) }, /no payload/],
    [
      'a chunk too large',
      { header: { type: 'inputChunk', run, offset: 0 }, payload: new Uint8Array(CHUNK_BYTES + 1) },
      /too large/,
    ],
    ['nothing', { header: null }, /null/],
  ])('%s is refused', (_, message, text) => {
    expect(() => checkMessage(message)).toThrow(FormatError)
    expect(() => checkMessage(message)).toThrow(text)
  })
})

describe('errors over a connection', () => {
  it('keep class and text when they are ours, and tell nothing when not', () => {
    const error = errorOf(errorHeader(new FormatError('segment 0'), run))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toBe('segment 0')
    const other = errorOf(errorHeader(new Error('/home/secret')))
    expect(other).toMatchObject({ code: 'Internal' })
    expect(other.message).not.toContain('secret')
  })
})
