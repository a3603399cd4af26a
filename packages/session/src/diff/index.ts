/**
 * Encrypted against clear, value by value; client and server in one process.
 *
 * @module diff
 */
export type { WorstElement } from './compare-slots.ts'
export { type DecryptedValue, type DiffClient, type DiffOptions, diffRun, type ValueDifference } from './diff-run.ts'
