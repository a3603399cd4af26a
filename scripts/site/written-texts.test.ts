import { ReflectionKind } from 'typedoc'
import { describe, expect, it } from 'vitest'
import { functionTexts, pageTexts } from './written-texts.mjs'

describe('pageTexts', () => {
  it('has READMEs of packages as modules, other pages as documents, without their code', () => {
    const pages = new Map([
      ['packages/model-import/README.md', 'Reads models'],
      ['packages/model-import/src/generated/README.md', 'not of the site'],
      ['docs/guide/choosing.md', 'One\n```ts\ncode()\n```\ntwo\n'],
      ['ARCHITECTURE.md', 'Layers'],
      ['README.md', 'the front page'],
      ['.changeset/new.md', 'of a release'],
    ])
    expect(pageTexts(pages)).toEqual(
      new Map([
        ['modules/_he-ml_model-import.html', 'Reads models'],
        ['documents/docs_guide_choosing.html', 'One\n\ntwo\n'],
        ['documents/ARCHITECTURE.html', 'Layers'],
      ]),
    )
  })
})

describe('functionTexts', () => {
  it('has the first function with a comment of each module, within others too', () => {
    const text = (text: string) => ({ kind: 'text', text })
    const declare = (name: string, ...summary: readonly object[]) => ({
      kind: ReflectionKind.Function,
      name,
      signatures: [summary.length > 0 ? { comment: { summary } } : {}],
    })
    const module = (name: string, ...children: readonly object[]) => ({ kind: ReflectionKind.Module, name, children })
    const project = {
      children: [
        module('@he-ml/x', declare('a'), declare('b', text('Makes '), text('it.')), declare('c', text('No.'))),
        module('@he-ml/y', module('client/node', declare('d', text('Reads.')))),
      ],
    }
    expect(functionTexts(project)).toEqual(
      new Map([
        ['functions/_he-ml_x.b.html', 'Makes it.'],
        ['functions/_he-ml_y.client_node.d.html', 'Reads.'],
      ]),
    )
  })
})
