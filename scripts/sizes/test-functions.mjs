// @ts-check
import ts from 'typescript'

/** @typedef {import('./limits.mjs').SizedPart} SizedPart */

/**
 * All functions of a TypeScript file but the callbacks of `describe` and its kinds, which hold a file's tests together.
 * @param {string} text
 * @returns {SizedPart[]}
 */
export function testFunctions(text) {
  const file = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true)
  const lineOf = (/** @type {number} */ at) => file.getLineAndCharacterOfPosition(at).line + 1
  /** @type {SizedPart[]} */
  const functions = []
  /** @type {(node: ts.Node) => void} */
  const visit = (node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !isGroup(node)) {
      const line = lineOf(node.getStart())
      const name = text.slice(node.getStart(), node.end).split('\n')[0] ?? ''
      functions.push({ name: name.trim(), line, lines: lineOf(node.end) - line + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return functions
}

/** @param {ts.Node} node @returns {boolean} whether it is the callback of describe, describe.each(...) or the like */
const isGroup = ({ parent }) => ts.isCallExpression(parent) && /^describe\b/.test(parent.expression.getText())
