/**
 * What a simulated sensor looks at: a still image that moves over it. The image is sampled between its pixels (bilinearly), the
 * weights are the same for all pixels of a moment, and logarithms are taken only where the intensity has changed.
 */
import { DatasetFormatError } from '../../errors.ts'
import { checkSize, type SensorSize } from '../event-chunk.ts'

/** A grey image, row-major, intensities in [0, 1], at the sensor's scale: one of its pixels is one of the sensor's. */
export interface GreyImage extends SensorSize {
  /** height x width values. */
  readonly intensity: Float32Array
}

/** Where the image's upper left corner lies on the sensor at a time, in pixels; may be fractional and outside. */
export type Path = (timeUs: number) => {
  /** Column. */
  readonly x: number
  /** Row. */
  readonly y: number
}

/** What the sensor looks at. */
export interface MovingImage {
  /** What moves. */
  readonly image: GreyImage
  /** How it moves. */
  readonly path: Path
  /** Intensity around the image, in [0, 1], or 'edge': its border pixels go on. Default 0. */
  readonly surround?: number | 'edge'
}

/** Renders a moving image's log-intensity at the sensor's pixels, moment after moment. */
export class SceneSampler {
  /** Intensity now, in [0, 1]. */
  readonly intensity: Float64Array
  /** Log-intensities now, and at the look before: the same array when nothing has moved since. */
  now: Float64Array
  before: Float64Array
  readonly #first: Float64Array
  readonly #spare: Float64Array
  readonly #size: SensorSize
  readonly #darkLevel: number
  readonly #scene: MovingImage
  readonly #padded: Float64Array
  readonly #stride: number
  #x = Number.NaN
  #y = Number.NaN

  constructor(scene: MovingImage, size: SensorSize, darkLevel: number) {
    const { width, height, intensity } = scene.image
    checkSize(scene.image, 4096, 'scene')
    if (intensity.length !== width * height)
      throw new DatasetFormatError(
        `scene: ${width} x ${height} needs ${width * height} intensities, got ${intensity.length}`,
      )
    if (!intensity.every((i) => i >= 0 && i <= 1))
      throw new DatasetFormatError('scene: expected intensities from 0 to 1')
    const { surround = 0 } = scene
    if (surround !== 'edge' && !(surround >= 0 && surround <= 1))
      throw new DatasetFormatError(`scene: expected a surround from 0 to 1 or 'edge', got ${surround}`)
    this.#scene = scene
    this.#size = size
    this.#darkLevel = darkLevel
    // the image with as much around it as the sensor can ever see while at least touching it
    this.#stride = width + 2 * (size.width + 1)
    const rows = height + 2 * (size.height + 1)
    this.#padded = new Float64Array(this.#stride * rows)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < this.#stride; column++) {
        const [x, y] = [column - size.width - 1, row - size.height - 1]
        const isInside = x >= 0 && y >= 0 && x < width && y < height
        const at = Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))
        this.#padded[row * this.#stride + column] = isInside || surround === 'edge' ? intensity[at]! : surround
      }
    const count = size.width * size.height
    this.intensity = new Float64Array(count).fill(Number.NaN)
    this.#first = new Float64Array(count)
    this.now = this.#first
    this.#spare = new Float64Array(count)
    this.before = this.now
    this.look(0)
    this.before = this.now
  }

  /** Looks at the scene at a time, in us. @throws DatasetFormatError when the path leads nowhere */
  look(timeUs: number): void {
    const { x, y } = this.#scene.path(timeUs)
    if (!Number.isFinite(x) || !Number.isFinite(y))
      throw new DatasetFormatError(`scene: expected a finite place at ${timeUs} us, got (${x}, ${y})`)
    this.before = this.now
    if (x === this.#x && y === this.#y) return
    this.#x = x
    this.#y = y
    const { width, height } = this.#size
    const { image } = this.#scene
    // in the padded image, the sensor's upper left pixel lies at (width + 1 - x, height + 1 - y)
    const left = Math.min(image.width + width + 1, Math.max(0, width + 1 - x))
    const top = Math.min(image.height + height + 1, Math.max(0, height + 1 - y))
    const [column, row] = [
      Math.min(image.width + width, Math.floor(left)),
      Math.min(image.height + height, Math.floor(top)),
    ]
    const [fx, fy] = [left - column, top - row]
    const [w00, w10, w01, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy]
    const { before, intensity } = this
    const into = before === this.#spare ? this.#first : this.#spare
    const padded = this.#padded
    const stride = this.#stride
    let pixel = 0
    for (let r = 0; r < height; r++) {
      let at = (row + r) * stride + column
      for (let c = 0; c < width; c++, at++, pixel++) {
        const value =
          w00 * padded[at]! + w10 * padded[at + 1]! + w01 * padded[at + stride]! + w11 * padded[at + stride + 1]!
        if (Math.abs(value - intensity[pixel]!) < SAME) into[pixel] = before[pixel]!
        else {
          intensity[pixel] = value
          into[pixel] = Math.log(value + this.#darkLevel)
        }
      }
    }
    this.now = into
  }
}

/** Rounding of weights that add up to one; far below any threshold. */
const SAME = 1e-7
