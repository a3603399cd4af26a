import { ReflectionKind } from 'typedoc'
import { describe, expect, it } from 'vitest'
import { apiProblems } from './api-problems.mjs'

const comment = { summary: [{ kind: 'text', text: 'Bytes.' }] }
const declare = (kind: ReflectionKind, name: string, more: object = {}) => ({
  variant: 'declaration',
  kind,
  name,
  sources: [{ fileName: 'packages/x/src/a.ts', line: 7 }],
  ...more,
})
const property = (name: string, more: object = {}) => declare(ReflectionKind.Property, name, more)
const problemsOf = (...children: readonly object[]) =>
  apiProblems({ children: [{ variant: 'declaration', kind: ReflectionKind.Module, name: '@he-ml/x', children }] })

describe('apiProblems', () => {
  it('finds what is exported without a comment, and members without one, in types within types too', () => {
    const inner = {
      type: 'reflection',
      declaration: declare(ReflectionKind.TypeLiteral, '__type', { children: [property('c')] }),
    }
    const children = [
      property('a', { comment }),
      property('b', { comment, type: { type: 'array', elementType: inner } }),
    ]
    expect(problemsOf(declare(ReflectionKind.Interface, 'Options', { children }))).toEqual([
      'packages/x/src/a.ts:7: Options has no comment',
      'packages/x/src/a.ts:7: Options.b.c has no comment',
    ])
  })

  it('takes a comment that says nothing for none', () => {
    const empty = { comment: { summary: [] } }
    expect(problemsOf(declare(ReflectionKind.TypeAlias, 'Size', empty))).toHaveLength(1)
    const thrown = { comment: { summary: [], blockTags: [{ tag: '@throws', content: comment.summary }] } }
    expect(problemsOf(declare(ReflectionKind.TypeAlias, 'Size', thrown))).toEqual([])
  })

  it('wants a comment for each signature, and takes that of what a member implements', () => {
    const [said, silent] = [{ comment }, {}]
    const method = (...signatures: readonly object[]) => declare(ReflectionKind.Method, 'run', { signatures })
    expect(problemsOf(method(said, said))).toEqual([])
    expect(problemsOf(method(said, silent))).toHaveLength(1)
    expect(problemsOf({ ...method(silent), implementationOf: { type: 'reference', name: 'Engine.run' } })).toEqual([])
  })

  it('finds interfaces with nothing in them', () => {
    expect(problemsOf(declare(ReflectionKind.Interface, 'Report', { comment }))).toEqual([
      'packages/x/src/a.ts:7: Report has nothing in it',
    ])
    const extendedTypes = [{ type: 'reference', name: 'Other' }]
    expect(problemsOf(declare(ReflectionKind.Interface, 'Report', { comment, extendedTypes }))).toEqual([])
  })

  it('finds types that only a schema spells out', () => {
    const type = { type: 'reference', name: 'infer', package: 'zod', qualifiedName: 'output', typeArguments: [] }
    expect(problemsOf(declare(ReflectionKind.TypeAlias, 'Plan', { comment, type }))).toEqual([
      'packages/x/src/a.ts:7: Plan is spelled by a schema (output)',
    ])
  })

  it('does not ask what others wrote, nor values of constants, nor parameters', () => {
    const others = { sources: [{ fileName: 'node_modules/typescript/lib/lib.es5.d.ts', line: 1 }] }
    const within = {
      type: 'reflection',
      declaration: declare(ReflectionKind.TypeLiteral, '__type', { children: [property('c')] }),
    }
    const parameters = [{ variant: 'param', kind: ReflectionKind.Parameter, name: 'options', type: within }]
    expect(
      problemsOf(
        property('stack', others),
        declare(ReflectionKind.Variable, 'SETS', { comment, type: within }),
        declare(ReflectionKind.Function, 'open', { signatures: [{ comment, parameters }] }),
      ),
    ).toEqual([])
  })
})
