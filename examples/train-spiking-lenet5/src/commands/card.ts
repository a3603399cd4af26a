import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { Command } from 'commander'
import { dataCard } from '../data-card.ts'
import { MODELS_FOLDER } from '../training/start-network.ts'
import type { Surroundings } from './common.ts'

/** `card`: the page about a folder of models. */
export const cardCommand = ({ show }: Surroundings): Command =>
  new Command('card')
    .description("write README.md, the models' data card, from the facts in their files")
    .argument('[folder]', 'folder of models', MODELS_FOLDER)
    .option('--check', 'write nothing; fail if the page is not what the models say')
    .action(async (folder: string, { check = false }: { readonly check?: boolean }) => {
      const path = join(folder, 'README.md')
      const text = await dataCard(folder)
      if (!check) await writeFile(path, text)
      else if ((await readFile(path, 'utf8')) !== text)
        throw new FormatError(`${path}: it is not what the models say: run the command without --check`)
      show.line(check ? `${path} is up to date` : path)
    })
