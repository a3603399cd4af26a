/** Our side: the training loop of @he-ml/snn-training, stopped between turns while the peer has its own. */
import { type LabelledData, type Network, type TrainingRecipeInput, train } from '@he-ml/snn-training'

export interface EpochInTurns {
  readonly network: Network
  readonly data: LabelledData
  readonly recipe: TrainingRecipeInput
  /** Steps of a turn; the last turn has what is left. */
  readonly chunk: number
  /** Called after each turn, with the clock stopped. */
  readonly between: (turn: number) => Promise<void>
  /** Milliseconds from some moment on; default `performance.now`. */
  readonly now?: () => number
}

/**
 * One run of `train`, its time without that of `between`. The pauses are those of a checkpoint every `chunk` steps, so
 * encoding one is part of every turn.
 */
export async function trainInTurns({ network, data, recipe, chunk, between, ...clock }: EpochInTurns) {
  const { now = () => performance.now() } = clock
  const turns: number[] = []
  let started = now()
  const write = async () => {
    turns.push((now() - started) / 1e3)
    await between(turns.length - 1)
    started = now()
  }
  const { history } = await train(network, { data, recipe, checkpoint: { everySteps: chunk, write } })
  return { turns, loss: history.at(-1)!.loss }
}
