/** Every kind of operation on the native engine, timed on its own or found from the difference of two that were. */
import {
  type Ciphertext,
  createDefaultCostModel,
  type DiagonalMatrix,
  type OperationKind,
  operationSize,
  prepareLinearTransform,
} from '@he-ml/ckks-core'
import type { NativeEngine } from '../../native-engine.ts'
import type { OperationStopwatch } from './operation-stopwatch.ts'

const BABIES = 8
const GIANTS = 4
/** Baby steps of one row of a transform. */
const ROW = 16
const MATRIX_COLUMNS = 32
const MATRIX_ROWS = 16

type Seconds = Partial<Record<OperationKind, number>>

/** Rotations that keys are needed for. */
export const TIMED_STEPS: readonly number[] = [
  ...Array.from({ length: BABIES }, (_, i) => i + 1),
  ...Array.from({ length: GIANTS - 1 }, (_, i) => ROW * (i + 1)),
]

/**
 * Seconds of one operation of each kind at the operand's level. Disposes of the operand.
 * @param x a fresh ciphertext of full period; the engine has the relinearisation key and those of {@link TIMED_STEPS}
 */
export async function timeOperations(engine: NativeEngine, x: Ciphertext, watch: OperationStopwatch): Promise<Seconds> {
  const rotations = await timeRotations(engine, x, watch)
  const transforms = await timeTransforms(engine, x, watch)
  const others = await timeSmallOperations(engine, x, watch)
  const matrixProduct = await timeMatrixProduct(engine, x, watch)
  x.dispose()
  return { ...rotations, ...transforms, ...others, matrixProduct }
}

/** Values for every slot. */
const waveOf = (slots: number): Float64Array => Float64Array.from({ length: slots }, (_, i) => Math.sin(i))

async function timeRotations(engine: NativeEngine, x: Ciphertext, watch: OperationStopwatch): Promise<Seconds> {
  const babies = TIMED_STEPS.slice(0, BABIES)
  const rotate = await watch.time(4, () => engine.rotate(x, 1))
  const hoisted = await watch.time(1, () => engine.rotateHoisted(x, babies))
  const hoistedRotation = Math.max(rotate * 0.1, (hoisted - rotate) / (BABIES - 1))
  return { rotate, conjugate: rotate, decompose: Math.max(rotate * 0.05, rotate - hoistedRotation), hoistedRotation }
}

/** One term, one row and a block tell what a baby step, a term and a giant step add. */
async function timeTransforms(engine: NativeEngine, x: Ciphertext, watch: OperationStopwatch): Promise<Seconds> {
  const one = await timeTransform(engine, x, watch, [1, 1])
  const row = await timeTransform(engine, x, watch, [BABIES, 1])
  const block = await timeTransform(engine, x, watch, [BABIES, GIANTS])
  const model = createDefaultCostModel({ threads: engine.threads })
  const size = operationSize(engine.parameters, x.level)
  const of = (kind: OperationKind) => model.seconds(kind, size)
  // a row is decompose + babies (baby + term) + modDown: baby and term share one factor, as do giant step and modDown
  const inner = Math.max(0, row - one) / (BABIES - 1) / (of('transformBaby') + of('transformTerm'))
  const moreTerms = BABIES * (GIANTS - 1) * inner * of('transformTerm')
  const outer = Math.max(0.1 * (block - row), block - row - moreTerms) / (GIANTS - 1) / of('transformGiant')
  return {
    transformBaby: inner * of('transformBaby'),
    transformTerm: inner * of('transformTerm'),
    transformGiant: outer * of('transformGiant'),
    modDown: outer * of('modDown'),
    modDownRescale: outer * of('modDownRescale'),
    // terms read keys and diagonals as baby steps do; what is left is transforms, as in giant steps
    raiseTerm: inner * of('raiseTerm'),
    raiseTransform: outer * of('raiseTransform'),
  }
}

async function timeTransform(
  engine: NativeEngine,
  x: Ciphertext,
  watch: OperationStopwatch,
  [babies, giants]: readonly [number, number],
): Promise<number> {
  const { level, slots } = x
  const values = waveOf(slots)
  const diagonals: DiagonalMatrix['diagonals'] = new Map(
    Array.from({ length: giants * babies }, (_, i) => [ROW * Math.floor(i / babies) + (i % babies) + 1, values]),
  )
  using prepared = await prepareLinearTransform(
    engine,
    { slots, diagonals },
    { level, split: { length: ROW, offset: 0 } },
  )
  return await watch.time(2, () => engine.linearTransform(x, prepared))
}

async function timeSmallOperations(engine: NativeEngine, x: Ciphertext, watch: OperationStopwatch): Promise<Seconds> {
  const { level, scale, slots } = x
  const values = waveOf(slots)
  using plaintext = engine.encode(values, { level, scale })
  using product = engine.mul(x, x)
  return {
    encode: await watch.time(8, () => engine.encode(values, { level, scale, extended: true })),
    add: await watch.time(16, () => engine.add(x, x)),
    addPlain: await watch.time(16, () => engine.addPlain(x, plaintext)),
    addScalar: await watch.time(16, () => engine.addScalar(x, 0.5)),
    mulScalar: await watch.time(16, () => engine.mulScalar(x, 0.5)),
    mulPlain: await watch.time(16, () => engine.mulPlain(x, plaintext)),
    mul: await watch.time(16, () => engine.mul(x, x)),
    relinearize: await watch.time(4, () => engine.relinearize(product)),
    relinearizeRescale: await watch.time(4, () => engine.relinearizeRescale(product)),
    rescale: await watch.time(8, () => engine.rescale(x)),
    dropLevel: await watch.time(16, () => engine.dropLevel(x, level - 1)),
  }
}

/** Seconds of one weight. */
async function timeMatrixProduct(engine: NativeEngine, x: Ciphertext, watch: OperationStopwatch): Promise<number> {
  const weights = MATRIX_ROWS * MATRIX_COLUMNS
  const columns = Array.from({ length: MATRIX_COLUMNS }, () => x)
  const matrix = { rows: MATRIX_ROWS, columns: MATRIX_COLUMNS, data: new Float64Array(weights).fill(0.37) }
  return (await watch.time(2, () => engine.matrixProduct(columns, matrix))) / weights
}
