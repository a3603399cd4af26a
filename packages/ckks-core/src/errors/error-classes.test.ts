import { describe, expect, it } from 'vitest'
import { ERROR_CLASSES } from './error-classes.ts'
import * as errors from './errors.ts'

describe('ERROR_CLASSES', () => {
  it('names each class by its own code', () => {
    for (const [code, Class] of Object.entries(ERROR_CLASSES)) {
      const cause = new Error('below')
      const error = new Class('text', { cause })
      expect(error).toMatchObject({ code, message: 'text', name: Class.name, cause })
      expect(error).toBeInstanceOf(errors.HeMlError)
    }
  })

  it('has every class of errors but those that carry more than a message', () => {
    const missing = Object.values(errors).filter((Class) => !Object.values(ERROR_CLASSES).includes(Class as never))
    expect(missing).toEqual([errors.HeMlError, errors.PlanError, errors.FileSystemError])
  })

  it('has nothing for codes that only a prototype knows, and cannot be changed', () => {
    for (const code of ['constructor', 'toString', '__proto__', '']) expect(ERROR_CLASSES[code]).toBeUndefined()
    expect(() => Object.assign(ERROR_CLASSES, { Format: Error })).toThrow(TypeError)
  })
})
