// @ts-check
/** What is longer than it may be. */

/**
 * A function or the like.
 * @typedef {object} SizedPart
 * @property {string} name the line that says what it is
 * @property {number} line where it begins, from 1
 * @property {number} lines
 */

/**
 * A file with its functions.
 * @typedef {object} SizedFile
 * @property {string} path
 * @property {number} lines
 * @property {readonly SizedPart[]} functions
 */

/**
 * One line for each file and function above its limit.
 * @param {readonly SizedFile[]} files
 * @param {{ readonly file: number, readonly function: number }} limits in lines
 * @returns {string[]}
 */
export function tooLong(files, limits) {
  return files.flatMap(({ path, lines, functions }) => [
    ...(lines > limits.file ? [`${path} has ${lines} lines, at most ${limits.file} are allowed`] : []),
    ...functions
      .filter((part) => part.lines > limits.function)
      .map(
        ({ name, line, lines: long }) =>
          `${path}:${line}: "${name}" has ${long} lines, at most ${limits.function} are allowed`,
      ),
  ])
}

/** @param {string} text @returns {number} lines, the last one ended or not */
export const lineCount = (text) => text.replace(/\n$/, '').split('\n').length
