/** What the compiler says of its options, in the words of the command line: `the option scaleBits` is `--scale-bits` to whoever typed it. */
import { PlanError } from '@he-ml/ckks-core'

/** Flags of `plan`, by the options of `compile` that they set. */
const FLAGS: Readonly<Record<string, string>> = {
  'activation.degree': '--degree',
  'activation.error': '--error',
  'activation.margin': '--margin',
  'activation.method': '--method',
  batch: '--batch',
  bootstrapping: '--bootstrapping',
  'bootstrapping.levels': '--refresh-levels',
  'bootstrapping.precisionBits': '--refresh-bits',
  'bootstrapping.set': '--bootstrapping',
  logN: '--log-n',
  memory: '--memory',
  packing: '--packing',
  precisionBits: '--precision-bits',
  scaleBits: '--scale-bits',
}

/** The same in the caller's words; options without a flag are said to be `compile`'s. */
export const callerWords = (message: string): string =>
  message
    .replaceAll(
      /pass what fit\(model, data\) gives(?: for this very model)? as the option calibration/g,
      'give calibration images of this model with --data',
    )
    .replaceAll(
      /the option (\w+(?:\.\w+)?)(?!\w)/g,
      (_, name: string) => FLAGS[name] ?? `the option ${name} of compile (no flag sets it)`,
    )

/** A refusal in the caller's words; whatever else it was as it is. */
export function inCallerWords(failure: unknown): unknown {
  if (!(failure instanceof PlanError)) return failure
  const message = callerWords(failure.message)
  return message === failure.message ? failure : new PlanError(failure.reason, message, { cause: failure })
}
