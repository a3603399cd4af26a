// @ts-check
/**
 * Where functions of a C++ file begin and how long they are. No parser: in formatted code a block has a space before its brace and a
 * value's braces have none; outside functions only namespaces, classes and the like and lists of values open blocks, so a block
 * whose head has parentheses and is none of these is a function's.
 */

/** @typedef {import('./limits.mjs').SizedPart} SizedPart */

/**
 * Blanks, of the same length and lines, for comments, texts, characters and lines of the preprocessor.
 * @param {string} text
 * @returns {string}
 */
function withoutTexts(text) {
  const pattern =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"([^\s()\\]*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:\\\n|[^\n])*/gm
  return text.replace(pattern, (found) => found.replace(/[^\n]/g, ' '))
}

const SCOPE =
  /^(?:(?:template\s*<[^{}]*>|inline|export|typedef|static|constexpr)\s+)*(?:namespace|class|struct|union|enum|extern)\b/

/** @typedef {'scope' | 'function' | 'values'} Block */

/** @param {string} head what stands between the statement before and the brace @returns {Block} */
function blockOf(head) {
  const code = head.trim()
  if (SCOPE.test(code) && !code.endsWith(')')) return 'scope'
  return code.includes('(') && !code.endsWith('=') ? 'function' : 'values'
}

/**
 * All functions, members among them, from the first line of their head to their last brace; lambdas are part of theirs.
 * @param {string} text
 * @returns {SizedPart[]}
 */
export function cppFunctions(text) {
  const code = withoutTexts(text)
  const lineOf = (/** @type {number} */ at) => code.slice(0, at).split('\n').length
  /** @type {SizedPart[]} */
  const functions = []
  /** @type {{ block: Block, name: string, line: number }[]} */
  const open = []
  let head = 0
  for (const { 0: mark, index } of code.matchAll(/[;{}]/g)) {
    if (mark === '{') {
      const before = code.slice(head, index)
      const block = /\s$/.test(before) && open.every((outer) => outer.block === 'scope') ? blockOf(before) : 'values'
      const lines = before.trim().split('\n')
      const name = lines.find((line) => line.includes('(')) ?? ''
      open.push({ block, name: name.trim(), line: lineOf(head + before.length - before.trimStart().length) })
      if (block === 'values') continue
    } else if (mark === '}') {
      const closed = open.pop()
      if (closed?.block === 'values') continue
      if (closed?.block === 'function')
        functions.push({ name: closed.name, line: closed.line, lines: lineOf(index) - closed.line + 1 })
    } else if (open.at(-1)?.block === 'values') continue
    head = index + 1
  }
  return functions
}
