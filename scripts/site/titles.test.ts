import { describe, expect, it } from 'vitest'
import { titleOf, withoutTitle } from './titles.mjs'

const text = (text: string) => ({ kind: 'text', text })
const code = (text: string) => ({ kind: 'code', text })

describe('titleOf', () => {
  it('is the title in the folder of the file, without marks', () => {
    expect(titleOf([text('# One and two\n\nText\n## Three\n')], 'docs/notes/one')).toBe('docs/notes/One and two')
    expect(titleOf([text('# Runs '), code('`run`'), text(' *once*\n')], 'a')).toBe('Runs run once')
    // a slash would make a folder
    expect(titleOf([text('# In/out\n')], 'docs/a')).toBe('docs/In∕out')
  })

  it('is the name where there is no title', () => {
    expect(titleOf([text('Text\n# Late\n')], 'docs/a')).toBe('docs/a')
  })
})

describe('withoutTitle', () => {
  it('takes the title away and nothing else', () => {
    const parts = [text('# @he-ml/x\n\nText\n\n# Other\n'), code('`# y`')]
    withoutTitle(parts)
    expect(parts).toEqual([text('Text\n\n# Other\n'), code('`# y`')])
    withoutTitle(parts)
    expect(parts[0]).toEqual(text('Text\n\n# Other\n'))
  })
})
