import type { Command } from 'commander'
import type { Emit } from './rows.ts'

/** One benchmark of the command line. */
export interface Benchmark<Options = Record<string, unknown>> {
  readonly name: string
  readonly description: string
  /** For later issues: listed, and refused with an UnsupportedError. */
  readonly planned?: boolean
  /** Adds its own options. */
  configure(command: Command): void
  /** Checks correctness, warms up, measures, emits. @throws HeMlError */
  run(options: Options, emit: Emit): Promise<void>
}

/** Options of different types in one list. */
export const define = <Options>(benchmark: Benchmark<Options>): Benchmark => benchmark as unknown as Benchmark
