/**
 * The command line as a library: `createProgram()` gives the commander program that `he-ml` runs, `writeTrace()` its pictures of
 * runs.
 *
 * @packageDocumentation
 */
export { exitCodeOf } from './exit-codes.ts'
export { createProgram } from './program.ts'
export { writeTrace } from './terminal/write-trace.ts'
