/** Where results of several inputs go: one into the file that --out names, several into the folder, which is made when needed. */
import { mkdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { onFile } from '@he-ml/ckks-core/node'
import { outputJudge, type Touched } from '../files/assert-output-apart.ts'
import { assertCanMake, placeOf } from '../files/output-place.ts'
import { assertWritableFolder } from './common.ts'

export interface ResultPlace {
  readonly input: string
  readonly out: string
}

/**
 * A name that ends in a separator is a folder's, for one input too.
 *
 * @param touched what the command reads besides its inputs
 * @throws InvalidArgumentError for several inputs and a file, two inputs of one name, or a result in the place of what is read; FileSystemError
 *   where nothing can be made. Nothing was made then
 */
export async function resultPlaces(inputs: readonly string[], out: string, touched: Touched): Promise<ResultPlace[]> {
  const found = await stat(out).catch(() => undefined)
  const isFolder = found?.isDirectory() ?? (inputs.length > 1 || /[/\\]$/.test(out))
  if (inputs.length > 1 && !isFolder)
    throw new InvalidArgumentError(`${out} is no folder: of ${inputs.length} inputs the results go into one: name it`)
  const places = inputs.map((input) => ({ input, out: isFolder ? join(out, basename(input)) : out }))
  assertDifferent(places)
  const judge = await outputJudge({ ...touched, files: [...(touched.files ?? []), ...inputs] })
  for (const place of places) await judge(place.out)
  if (isFolder && !found) {
    await assertCanMake(await placeOf(out))
    await onFile(out, mkdir(out, { recursive: true }))
  }
  for (const place of places) await assertWritableFolder(place.out)
  return places
}

/** @throws InvalidArgumentError naming both inputs whose results would be one file */
function assertDifferent(places: readonly ResultPlace[]): void {
  const inputs = new Map<string, string>()
  for (const { input, out } of places) {
    const other = inputs.get(out)
    if (other !== undefined)
      throw new InvalidArgumentError(
        `two inputs are called ${basename(input)}, ${other} and ${input}: their results would be one file, ${out}`,
      )
    inputs.set(out, input)
  }
}
