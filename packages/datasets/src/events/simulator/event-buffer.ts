import { DatasetFormatError } from '../../errors.ts'
import { createEventChunk, type EventChunk } from '../event-chunk.ts'

/** Events in any order, as they come from the pixels; handed out sorted by time, and by arrival within a microsecond. */
export class EventBuffer {
  readonly #width: number
  #keys = new Float64Array(4096)
  #pixels = new Uint32Array(4096)
  #count = 0

  constructor(width: number) {
    this.#width = width
  }

  /**
   * @param time in us from 0 to 2^31; its fraction is dropped
   * @throws DatasetFormatError beyond 2^22 events between two calls of take
   */
  add(time: number, pixel: number, isOn: boolean): void {
    if (this.#count === this.#pixels.length) this.#grow()
    // time and place of arrival in one number: 31 bits of time (36 minutes) and 22 bits of place are exact
    this.#keys[this.#count] = Math.floor(time) * PLACES + this.#count
    this.#pixels[this.#count] = pixel * 2 + (isOn ? 1 : 0)
    this.#count++
  }

  /** @param start added to all times */
  take(start: number): EventChunk {
    const chunk = createEventChunk(this.#count)
    const keys = this.#keys.subarray(0, this.#count).sort()
    for (let i = 0; i < keys.length; i++) {
      const time = Math.floor(keys[i]! / PLACES)
      const value = this.#pixels[keys[i]! - time * PLACES]!
      const pixel = value >> 1
      chunk.y[i] = Math.floor(pixel / this.#width)
      chunk.x[i] = pixel % this.#width
      chunk.polarity[i] = value & 1
      chunk.timestamp[i] = start + time
    }
    this.#count = 0
    return chunk
  }

  /** Events that wait. */
  get length(): number {
    return this.#count
  }

  #grow(): void {
    if (this.#count >= PLACES)
      throw new DatasetFormatError(
        `sensor: more than ${PLACES} events in one step: raise thresholds or refractoryUs, or lower stepUs`,
      )
    const [keys, pixels] = [this.#keys, this.#pixels]
    this.#keys = new Float64Array(2 * keys.length)
    this.#keys.set(keys)
    this.#pixels = new Uint32Array(2 * pixels.length)
    this.#pixels.set(pixels)
  }
}

const PLACES = 2 ** 22
