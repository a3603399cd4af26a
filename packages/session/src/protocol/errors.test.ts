import { FileSystemError, FormatError, HeMlError, MemoryError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { errorHeader, errorOf } from './errors.ts'

describe('errors over a connection', () => {
  it('arrive in their class, with their text', () => {
    const header = errorHeader(new MemoryError('too little'), '00'.repeat(8))
    expect(header).toEqual({ type: 'error', run: '00'.repeat(8), code: 'Memory', message: 'too little' })
    expect(errorOf(header)).toBeInstanceOf(MemoryError)
    expect(errorHeader(new FormatError('x'.repeat(5000))).message).toHaveLength(4096)
  })

  it('that are not ours, or name files of the server, stay there', () => {
    for (const error of [new TypeError('secret'), new FileSystemError('/etc', 'EACCES', 'secret'), 'secret']) {
      const { code, message } = errorHeader(error)
      expect(code).toBe('Internal')
      expect(message).not.toMatch(/secret|etc/)
    }
  })

  it('of a code that nobody knows, or that only a prototype has, are errors still', () => {
    for (const code of ['Strange', 'constructor', '__proto__', 'toString']) {
      const error = errorOf({ type: 'error', code, message: 'text' })
      expect(error).toBeInstanceOf(HeMlError)
      expect(error).toMatchObject({ code, message: 'text' })
    }
  })
})
