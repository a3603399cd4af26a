/** Whether several models are one network: they answer samples alike in the clear. */
import { InvalidArgumentError, Pacer } from '@he-ml/ckks-core'
import { type Model, sizeOf, type Tensor, unroll } from '@he-ml/model'
import { answersAlike } from './answers.ts'
import { walk } from './approximate-walk.ts'
import { checkSample, inBatches, onKernels, runsInSingle, samplesAtOnce } from './samples.ts'

/** What models must have in common. */
export interface SameNetwork {
  readonly samples: readonly Tensor[]
  /** Share of the samples. */
  readonly agreement: number
  readonly signal?: AbortSignal | undefined
}

/**
 * For each model the indices of the samples that it answers otherwise than the first one does, in the clear.
 *
 * @throws InvalidArgumentError for models that are another network than the first, or have one output alone, which decides nothing; for samples
 *   that do not fit or are not finite; CancelledError through the signal
 */
export async function answeredOtherwise(
  models: Readonly<Record<string, Model>>,
  { samples, agreement, signal }: SameNetwork,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const otherwise = new Map<string, readonly number[]>()
  let first: { readonly name: string; readonly results: readonly Float64Array[] } | undefined
  for (const [name, model] of Object.entries(models)) {
    const results = await clearResults(model, samples, signal)
    first ??= { name, results }
    const [mine, theirs] = [results, first.results].map((all) => all[0]!.length)
    if (mine !== theirs) throw different(first.name, name, `they have ${theirs} and ${mine} outputs`)
    const differing = first.results.flatMap((exact, n) => (answersAlike(exact, results[n]!) ? [] : [n]))
    otherwise.set(name, differing)
    const alike = 1 - differing.length / samples.length
    if (alike < agreement)
      throw different(first.name, name, `in the clear they answer ${(100 * alike).toFixed(1)} % of the samples alike`)
  }
  return otherwise
}

const different = (first: string, other: string, how: string): InvalidArgumentError =>
  new InvalidArgumentError(
    `compileCheapest: "${first}" and "${other}" are different networks: ${how}; give one network, evaluated in several ways`,
  )

/** One a sample. */
function clearResults(
  model: Model,
  samples: readonly Tensor[],
  signal: AbortSignal | undefined,
): Promise<Float64Array[]> {
  const exact = unroll(model)
  if (sizeOf(exact.shapes.get(exact.output)!) === 1)
    throw new InvalidArgumentError(
      `compileCheapest: model "${model.name}" has one output, of which none is the largest: compile each way and compare what simulate tells of them`,
    )
  const pacer = new Pacer('compileCheapest', signal ? { signal } : {})
  return onKernels(runsInSingle(model, [exact]), async (kernels) => {
    const results: Float64Array[] = []
    for (const batch of inBatches(samples, samplesAtOnce([exact]))) {
      for (const [n, sample] of batch.entries()) checkSample('compileCheapest', exact, sample, results.length + n)
      const tensors = await walk(exact, batch, { pacer, approximate: false, ...(kernels ? { kernels } : {}) })
      results.push(...tensors.map(({ data }) => data))
    }
    return results
  })
}
