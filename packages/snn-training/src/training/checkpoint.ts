/**
 * Everything a run needs to go on as if it had never stopped, in one safetensors file (so that it is replaced whole): weights,
 * running statistics, the optimiser's state, the best weights so far; the recipe and the position as JSON in its metadata.
 * Generators need no state of their own: what they draw is a function of the recipe's seed, epoch, step and sample.
 */
import { FormatError, InvalidArgumentError, type SchemaFields } from '@he-ml/ckks-core'
import { encodeSafetensors, parseSafetensors } from '@he-ml/model'
import { networkSchema } from '@he-ml/model/spiking'
import { z } from 'zod'
import { checkTensors, storedTensors } from '../files/assign.ts'
import type { NamedValues } from '../layers/layer.ts'
import type { Network } from '../network/network.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'
import type { Evaluation } from './evaluate.ts'
import { recipeSchema, type TrainingRecipe } from './recipe.ts'

/** What one epoch came to. */
export interface EpochResult {
  /** Which epoch, from 0. */
  readonly epoch: number
  /** Mean loss over the training samples, each as it was seen. */
  readonly loss: number
  /** Share of the training samples that were answered rightly, each as it was seen, 0 to 1. */
  readonly accuracy: number
  /** Of the weights at the end of the epoch; absent without validation data. */
  readonly validation?: Evaluation
}

/** The best epoch so far. */
interface BestEpoch {
  readonly epoch: number
  readonly accuracy: number
  readonly loss: number
}

/** Where a run stands. */
export interface Position {
  /** Epoch and step within it that come next. */
  readonly epoch: number
  readonly step: number
  /** Sums over the samples of the running epoch. */
  readonly lossSum: number
  readonly correct: number
  readonly seen: number
  readonly history: readonly EpochResult[]
  readonly best?: BestEpoch
}

const count = z.number().int().min(0)
const finite = z.number()
const epochSchema: z.ZodType<EpochResult, EpochResult> = z.strictObject({
  epoch: count,
  loss: finite,
  accuracy: finite,
  validation: z
    .strictObject({ loss: finite, accuracy: finite, correct: count, count } satisfies SchemaFields<Evaluation>)
    .exactOptional(),
} satisfies SchemaFields<EpochResult>)
const positionSchema: z.ZodType<Position, Position> = z.strictObject({
  epoch: count,
  step: count,
  lossSum: finite,
  correct: count,
  seen: count,
  history: z.array(epochSchema).max(1_000_000),
  best: z
    .strictObject({ epoch: count, accuracy: finite, loss: finite } satisfies SchemaFields<BestEpoch>)
    .exactOptional(),
} satisfies SchemaFields<Position>)
const stateSchema = z.strictObject({
  format: z.literal('he-ml-training-checkpoint'),
  version: z.literal(1),
  network: networkSchema,
  precision: z.enum(['float32', 'float64']),
  recipe: recipeSchema,
  samples: count,
  optimizerSteps: count,
  position: positionSchema,
})

/** The parts of a run that change. */
export interface RunState {
  readonly network: Network
  readonly optimizer: Optimizer
  readonly recipe: TrainingRecipe
  /** Size of the training set. */
  readonly samples: number
  /** Copies of the network's state at the best epoch; meaningless before there is one. */
  readonly best: readonly NamedValues[]
}

/** The bytes of a checkpoint. */
export function encodeCheckpoint(run: RunState, position: Position): Uint8Array {
  const { network, optimizer, recipe, samples, best } = run
  const state: z.input<typeof stateSchema> = {
    format: 'he-ml-training-checkpoint',
    version: 1,
    network: network.description,
    precision: network.precision,
    recipe,
    samples,
    optimizerSteps: optimizer.steps,
    position,
  }
  const tensors = [
    ...storedTensors('network.', network.state),
    ...storedTensors('optimizer.', optimizer.state),
    ...(position.best ? storedTensors('best.', best) : []),
  ]
  return encodeSafetensors({ tensors: new Map(tensors), metadata: { checkpoint: JSON.stringify(state) } })
}

/**
 * Puts a run where a checkpoint left it. Nothing changes unless all of it is valid.
 *
 * @throws FormatError for bytes that are no checkpoint, or one that contradicts itself
 * @throws InvalidArgumentError for the checkpoint of another network, recipe or training set
 */
export function restoreCheckpoint(run: RunState, bytes: Uint8Array): Position {
  const { tensors, metadata } = parseSafetensors(bytes, { types: ['F32', 'F64'] })
  const state = parseState(metadata?.checkpoint)
  requireSame('network', state.network, run.network.description)
  requireSame('precision', state.precision, run.network.precision)
  requireSame('recipe', state.recipe, run.recipe)
  requireSame('number of samples', state.samples, run.samples)
  const { position } = state
  const steps = Math.ceil(run.samples / run.recipe.batchSize)
  if (position.epoch > run.recipe.epochs || position.step >= steps || position.history.length !== position.epoch)
    throw new FormatError(`checkpoint: epoch ${position.epoch}, step ${position.step} is not a place in this run`)
  for (const name of tensors.keys())
    if (!/^(network|optimizer|best)\./.test(name)) throw new FormatError(`checkpoint: "${name}" belongs to nothing`)
  const assignments = [
    checkTensors(run.network.state, tensors, 'network.'),
    checkTensors(run.optimizer.state, tensors, 'optimizer.'),
    checkTensors(position.best ? run.best : [], tensors, 'best.'),
  ]
  for (const assign of assignments) assign()
  run.optimizer.steps = state.optimizerSteps
  return position
}

function parseState(text: string | undefined): z.infer<typeof stateSchema> {
  if (text === undefined) throw new FormatError('checkpoint: expected "checkpoint" in the metadata, got none')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new FormatError('checkpoint: its state is not JSON', { cause })
  }
  const parsed = stateSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new FormatError(`checkpoint: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}

function requireSame(what: string, got: unknown, expected: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(expected))
    throw new InvalidArgumentError(
      `checkpoint: the ${what} differs from this run's: resume with what it was made with, or start anew`,
    )
}
