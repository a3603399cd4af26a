import type { Row, RowParams } from '../rows.ts'
import type { ServerReply } from './server.worker.ts'

const GB = 1e9

export interface KeyCosts {
  /** Made and written to the disk, side by side. */
  readonly generateSeconds: number
  /** Read, checked and expanded. */
  readonly loadSeconds: number
  /** Of the files. */
  readonly bytes: number
  readonly count: number
}

/** Rows both network benchmarks have: keys and memory. */
export function serverRows(name: string, params: RowParams, keys: KeyCosts, usage: ServerReply): Row[] {
  const row = (metric: string, value: number, unit: string): Row => ({ name, params, metric, value, unit })
  return [
    row('keys-count', keys.count, 'keys'),
    row('keys-generate', keys.generateSeconds, 's'),
    row('keys-load', keys.loadSeconds, 's'),
    row('keys-bytes', keys.bytes / GB, 'GB'),
    row('peak-rss', usage.peakBytes! / GB, 'GB'),
    row('peak-engine', usage.engineBytes! / GB, 'GB'),
  ]
}
