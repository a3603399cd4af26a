import { describe, expect, it } from 'vitest'
import { lineCount, tooLong } from './limits.mjs'

describe('tooLong', () => {
  it('lets the limit itself pass, and names what is above it', () => {
    const functions = [
      { name: 'void fits()', line: 3, lines: 60 },
      { name: 'void grows()', line: 70, lines: 61 },
    ]
    const files = [
      { path: 'a.cpp', lines: 450, functions },
      { path: 'b.cpp', lines: 451, functions: [] },
    ]
    expect(tooLong(files, { file: 450, function: 60 })).toEqual([
      'a.cpp:70: "void grows()" has 61 lines, at most 60 are allowed',
      'b.cpp has 451 lines, at most 450 are allowed',
    ])
  })
})

describe('lineCount', () => {
  it('counts the last line once, ended or not', () => {
    expect(['a', 'a\n', 'a\nb', 'a\n\n'].map(lineCount)).toEqual([1, 1, 2, 2])
  })
})
