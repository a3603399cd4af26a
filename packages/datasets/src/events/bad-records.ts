/**
 * Records of a recording that are no events of its sensor: real recordings end in the middle of one (the recorder was killed), and
 * hold a few damaged addresses. Each costs itself and is counted. Many of them mean another camera or another format, and then the
 * reading ends in an error instead of in the few events that happen to fit.
 */
import { DatasetFormatError } from '../errors.ts'

/** What the newest reading of a recording left out; complete when that reading has ended. */
export interface BadRecords {
  /** Records whose address lies outside the sensor, or whose time lies beyond 2^53 us. */
  readonly outside: number
  /** Bytes at the end of the file that are no whole record: it was cut off. Of AEDAT 4, no whole packet. */
  readonly cutBytes: number
  /** What is true of the first of them, with its place in the file; undefined when there is none. */
  readonly first: string | undefined
}

/** What readers bear of damaged files. */
export interface BadRecordOptions {
  /**
   * Largest share of records outside the sensor, 0 to 1, before reading fails; default 0.01. Up to eight are always passed
   * over.
   */
  readonly maxBadShare?: number
}

/** So few are damage, not another format, however short the recording. */
const ALWAYS_ALLOWED = 8
/** A share of fewer records than this says little; it is judged at the recording's end. */
const JUDGED_FROM = 65_536

/** Counts good and bad records while a recording is read. */
export class RecordTally implements BadRecords {
  readonly #what: string
  readonly #maxShare: number
  /** Good ones and those outside. */
  #records = 0
  outside = 0
  cutBytes = 0
  first: string | undefined

  /** @throws DatasetFormatError for a share outside [0, 1] */
  constructor(what: string, { maxBadShare = 0.01 }: BadRecordOptions) {
    if (!(maxBadShare >= 0 && maxBadShare <= 1))
      throw new DatasetFormatError(`${what}: expected a maxBadShare of 0 to 1, got ${maxBadShare}`)
    this.#what = what
    this.#maxShare = maxBadShare
  }

  addGood(count: number): void {
    this.#records += count
  }

  /** @param describe says what is true of the record and where it lies; called for the first only */
  addOutside(describe: () => string): void {
    this.#records++
    this.outside++
    this.first ??= describe()
  }

  cutOff(bytes: number, at: number, what = 'record'): void {
    this.cutBytes = bytes
    this.first ??=
      bytes > 0
        ? `${bytes} bytes at byte ${at} are no whole ${what}: the file is cut off`
        : `the file ends at byte ${at}, before its end: it is cut off`
  }

  /** @throws DatasetFormatError when more records are bad than damage explains */
  judge(isEnd: boolean): void {
    if (!isEnd && this.#records < JUDGED_FROM) return
    const allowed = Math.max(ALWAYS_ALLOWED, this.#maxShare * this.#records)
    const isNothing = isEnd && this.outside > 0 && this.outside === this.#records
    if (this.outside <= allowed && !isNothing) return
    throw new DatasetFormatError(
      `${this.#what}: ${this.outside} of ${this.#records} records lie outside the sensor, the first: ${this.first}; give the camera's size or layout, or raise maxBadShare`,
    )
  }
}
