import { ReflectionKind } from 'typedoc'
import { describe, expect, it } from 'vitest'
import { exampleProblems } from './example-problems.mjs'

const code = (text: string) => ({ kind: 'code', text })
const text = (text: string) => ({ kind: 'text', text })
const example = (...content: readonly object[]) => ({ comment: { blockTags: [{ tag: '@example', content }] } })
const offered = (name: string, kind: ReflectionKind, more: object = {}) => ({ name, kind, ...more })
const problemsOf = (wanted: 'all' | readonly string[], ...children: readonly object[]) => {
  const inner = { name: 'index', kind: ReflectionKind.Module, children }
  const module = { name: '@he-ml/x', kind: ReflectionKind.Module, children: [inner] }
  return exampleProblems({ children: [module, { ...module, name: '@he-ml/y' }] }, { '@he-ml/x': wanted })
}

describe('exampleProblems', () => {
  it('takes programs that run, of functions and of classes', () => {
    const runs = example(code('```ts\nrun()\n```'))
    expect(
      problemsOf(
        'all',
        offered('run', ReflectionKind.Function, { signatures: [runs] }),
        offered('Runner', ReflectionKind.Class, runs),
        offered('Options', ReflectionKind.Interface),
      ),
    ).toEqual([])
  })

  it('finds what has none, or none in TypeScript', () => {
    expect(
      problemsOf(
        'all',
        offered('run', ReflectionKind.Function, { signatures: [{}] }),
        offered('Runner', ReflectionKind.Class, example(text('run it'))),
        offered('stop', ReflectionKind.Function, { signatures: [example(code('```sh\nstop\n```'))] }),
      ),
    ).toEqual(['@he-ml/x: run has no example', '@he-ml/x: Runner has no example', '@he-ml/x: stop has no example'])
  })

  it('wants to know why a program is only for reading', () => {
    const reading = (...content: readonly object[]) =>
      problemsOf('all', offered('run', ReflectionKind.Function, { signatures: [example(...content)] }))
    expect(reading(code('```ts no-run\nrun()\n```'))).toEqual([
      '@he-ml/x: run has an example that is not run, and does not say why',
    ])
    expect(reading(text('Not run: it takes hours.\n'), code('```ts no-run\nrun()\n```'))).toEqual([])
  })

  it('looks at the named ones alone, and says which is not there', () => {
    const children = [offered('run', ReflectionKind.Function, { signatures: [{}] })]
    expect(problemsOf([], ...children)).toEqual([])
    expect(problemsOf(['gone'], ...children)).toEqual(['@he-ml/x: gone is not there'])
    expect(problemsOf('all')).toEqual(['@he-ml/x is not there'])
  })
})
