/** Where results of several inputs go: one into the file that --out names, several into the folder. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { assertOutputApart, type Touched } from '../files/assert-output-apart.ts'
import { assertWritableFolder } from './common.ts'

export interface ResultPlace {
  readonly input: string
  readonly out: string
}

/**
 * @param touched what the command reads besides its inputs
 * @throws InvalidArgumentError for several inputs and no folder, two inputs of one name, or a result in the place of what is read
 */
export async function resultPlaces(inputs: readonly string[], out: string, touched: Touched): Promise<ResultPlace[]> {
  const several = inputs.length > 1
  const isFolder = (await stat(out).catch(() => undefined))?.isDirectory() ?? false
  if (several && !isFolder)
    throw new InvalidArgumentError(
      `${out}: of ${inputs.length} inputs the results go into a folder: name one that exists`,
    )
  const places = inputs.map((input) => ({ input, out: isFolder ? join(out, basename(input)) : out }))
  const twice = places.find((place, i) => places.findIndex((other) => other.out === place.out) !== i)
  if (twice)
    throw new InvalidArgumentError(`two inputs are called ${basename(twice.input)}: their results would be one file`)
  for (const place of places) {
    await assertWritableFolder(place.out)
    await assertOutputApart(place.out, { ...touched, files: [...(touched.files ?? []), ...inputs] })
  }
  return places
}
