import { describe, expect, it } from 'vitest'
import { createErrorTranslator } from './error-translator.ts'

class Typed extends Error {}
class LevelError extends Typed {}
class OtherError extends Typed {}
const { typedError, native, nativeAsync } = createErrorTranslator(
  { Level: LevelError },
  Typed,
  (message, cause) => new OtherError(message, { cause }),
)
const coded = (code?: string) => Object.assign(new Error('too low'), code === undefined ? {} : { code })

describe('errors of compiled code', () => {
  it('become the class of their code, with the original as cause', () => {
    const error = coded('Level')
    expect(typedError(error)).toBeInstanceOf(LevelError)
    expect(typedError(error)).toMatchObject({ message: 'too low', cause: error })
  })
  it.each(['Nonsense', 'toString', undefined])('of code %s are others', (code) => {
    expect(typedError(coded(code))).toBeInstanceOf(OtherError)
  })
  it('stay as they are when typed, and become errors when they are none', () => {
    const error = new LevelError('x')
    expect(typedError(error)).toBe(error)
    expect(typedError('text')).toMatchObject({ message: 'text' })
  })
  it('are translated around calls and promises', async () => {
    expect(native(() => 1)).toBe(1)
    expect(() =>
      native(() => {
        throw coded('Level')
      }),
    ).toThrow(LevelError)
    await expect(nativeAsync(() => Promise.resolve(2))).resolves.toBe(2)
    await expect(nativeAsync(() => Promise.reject(coded()))).rejects.toThrow(OtherError)
  })
})
