// What the pages of the API lack, found in typedoc's JSON: comments of what is exported and of its members, interfaces with nothing in
// them, and types that only a schema spells out, of whose members a page shows none.
import { ReflectionKind } from 'typedoc'

const COMMENTED =
  (ReflectionKind.SomeMember & ~ReflectionKind.Constructor) |
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.Function |
  ReflectionKind.TypeAlias

/** Whether a reader would see a sentence. */
const says = ({ comment } = {}) =>
  comment !== undefined &&
  [{ content: comment.summary }, ...(comment.blockTags ?? [])].some((part) => part.content.length > 0)

/** Its own comment, one of each signature, or that of what it implements: pages show a link to that. */
function hasComment(reflection) {
  const { overwrites, implementationOf, signatures, getSignature, setSignature, type } = reflection
  if (overwrites ?? implementationOf) return true
  if (says(reflection) || says(getSignature) || says(setSignature)) return true
  const calls = signatures ?? (type?.type === 'reflection' ? type.declaration.signatures : undefined)
  return calls?.every(says) ?? false
}

const isEmpty = ({ kind, children, signatures, indexSignatures, extendedTypes }) =>
  kind === ReflectionKind.Interface && !(children ?? signatures ?? indexSignatures ?? extendedTypes)

function* lacksOf(reflection) {
  if (reflection.kind & COMMENTED && !hasComment(reflection)) yield 'has no comment'
  if (isEmpty(reflection)) yield 'has nothing in it'
}

/** Values of constants explain themselves, and parameters are explained by the function. */
const isClosed = ({ kind, variant }) => kind === ReflectionKind.Variable || variant === 'param'

function* problemsOf(value, names, place) {
  if (value === null || typeof value !== 'object') return
  const source = value.sources?.[0]
  // what came from a library of others
  if (source?.fileName.includes('node_modules/')) return
  const isNamed = value.variant === 'declaration' && value.kind !== ReflectionKind.TypeLiteral
  const here = isNamed ? [...names, value.name] : names
  const at = source ? `${source.fileName}:${source.line}` : place
  if (value.type === 'reference' && value.package === 'zod')
    yield { names: here, at, lacks: `is spelled by a schema (${value.qualifiedName})` }
  if (isNamed && source) for (const lacks of lacksOf(value)) yield { names: here, at, lacks }
  if (!isClosed(value)) for (const part of Object.values(value)) yield* problemsOf(part, here, at)
}

/**
 * A sentence for each, in order of their places; what several classes inherit or several modules export is there once.
 * @param project typedoc's JSON of the packages, merged
 */
export function apiProblems(project) {
  const found = new Map()
  for (const { names, at, lacks } of problemsOf(project.children ?? [], [], ''))
    found.set(`${at} ${names.at(-1)} ${lacks}`, `${at}: ${names.slice(1).join('.')} ${lacks}`)
  return [...found.values()].sort()
}
