// Whether what readers begin with has an example, found in typedoc's JSON. Those marked `ts` are run by scripts/snippets.mjs.
import { ReflectionKind } from 'typedoc'

function* functionsIn({ children = [] }) {
  for (const child of children) {
    if (child.kind === ReflectionKind.Module) yield* functionsIn(child)
    else if (child.kind === ReflectionKind.Function || child.kind === ReflectionKind.Class) yield child
  }
}

const examplesOf = ({ comment, signatures = [] }) =>
  [comment, ...signatures.map((signature) => signature.comment)]
    .flatMap((one) => one?.blockTags ?? [])
    .filter(({ tag }) => tag === '@example')

function lackOf(reflection) {
  const examples = examplesOf(reflection).map(({ content }) => content)
  const begins = (part, text) => part.kind === 'code' && part.text.startsWith(text)
  if (examples.some((content) => content.some((part) => begins(part, '```ts\n')))) return undefined
  const read = examples.find((content) => content.some((part) => begins(part, '```ts no-run\n')))
  if (read === undefined) return 'has no example'
  const reason = read.filter(({ kind }) => kind === 'text').map(({ text }) => text)
  return reason.join('').trim() === '' ? 'has an example that is not run, and does not say why' : undefined
}

/**
 * @param project typedoc's JSON of the packages, merged
 * @param wanted names by package, or 'all': its functions and classes
 * @returns a sentence for each that lacks one, or that there is not
 */
export function exampleProblems(project, wanted) {
  return Object.entries(wanted).flatMap(([name, names]) => {
    const offered = new Map(
      project.children
        .filter((child) => child.name === name)
        .flatMap((module) => [...functionsIn(module)].map((child) => [child.name, child])),
    )
    if (offered.size === 0) return [`${name} is not there`]
    return (names === 'all' ? [...offered.keys()] : names).flatMap((one) => {
      const lack = offered.has(one) ? lackOf(offered.get(one)) : 'is not there'
      return lack === undefined ? [] : [`${name}: ${one} ${lack}`]
    })
  })
}
