// @ts-check
/** Types as a project sees them: the blocks of a README, every module of its package, and all declarations of ours behind them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** @typedef {import('./consumers.mjs').Consumer} Consumer */

const RESOLUTIONS = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
}

/** @param {Consumer} consumer @param {object} resolution @returns {ts.CompilerOptions} */
const optionsOf = ({ node }, resolution) => ({
  ...resolution,
  target: ts.ScriptTarget.ES2023,
  // what Node's types do not bring, those of browsers do
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', ...(node ? [] : ['lib.dom.d.ts'])],
  types: node ? ['node'] : [],
  strict: true,
  noEmit: true,
})

/** @param {Consumer} consumer @param {boolean} bundled @returns {string[]} files to check: programs for pages where they would be bundled */
function writeModules({ folder, blocks, modules }, bundled) {
  const sources = [
    ...blocks
      .filter(({ browser }) => bundled || !browser)
      .map(({ code }, i) => ({ path: join(folder, `block-${i + 1}.ts`), text: `${code}\nexport {}\n` })),
    {
      path: join(folder, 'modules.ts'),
      text: modules.map((name, i) => `export * as module${i} from '${name}'\n`).join(''),
    },
  ]
  for (const { path, text } of sources) writeFileSync(path, text)
  return sources.map(({ path }) => path)
}

/** @param {ts.Diagnostic} diagnostic @returns {string} */
function lineOf({ file, start, messageText }) {
  const text = ts.flattenDiagnosticMessageText(messageText, ' ')
  if (file === undefined || start === undefined) return text
  return `${file.fileName.replace(/^.*\/(consumers|node_modules)\//, '')}:${file.getLineAndCharacterOfPosition(start).line + 1}: ${text}`
}

/**
 * @param {Consumer} consumer
 * @param {ts.CompilerOptions} options
 * @param {Map<string, ts.SourceFile>} parsed files of libraries that consumers with the same options share
 * @returns {string[]} problems
 */
function problemsOf(consumer, options, parsed) {
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile
  host.getCurrentDirectory = () => consumer.folder
  host.getSourceFile = (path, format, ...rest) => {
    if (path.startsWith(consumer.folder)) return read(path, format, ...rest)
    const key = `${path} ${JSON.stringify(format)}`
    const file = parsed.get(key) ?? read(path, format, ...rest)
    if (file) parsed.set(key, file)
    return file
  }
  const program = ts.createProgram(
    writeModules(consumer, options.moduleResolution === RESOLUTIONS.bundler.moduleResolution),
    options,
    host,
  )
  const isOurs = (/** @type {string} */ path) =>
    path.startsWith(consumer.folder) || path.includes('/node_modules/@he-ml/')
  const found = program
    .getSourceFiles()
    .filter(({ fileName }) => isOurs(fileName))
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
  return [...program.getOptionsDiagnostics(), ...found].map(lineOf)
}

/** @param {readonly Consumer[]} consumers @returns {string[]} problems under each way of finding modules */
export const typeProblems = (consumers) =>
  Object.entries(RESOLUTIONS).flatMap(([name, resolution]) => {
    const parsed = new Map()
    return consumers.flatMap((consumer) =>
      problemsOf(consumer, optionsOf(consumer, resolution), parsed).map((problem) => `types (${name}): ${problem}`),
    )
  })
