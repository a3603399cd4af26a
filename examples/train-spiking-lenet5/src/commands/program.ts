import { Command } from 'commander'
import { cardCommand } from './card.ts'
import type { Surroundings } from './common.ts'
import { drawCommand } from './draw.ts'
import { evaluateCommand } from './evaluate.ts'
import { trainCommand } from './train.ts'

/** The command line; failures throw. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('train-spiking-lenet5')
    .description('trains LeNet-5 with spiking neurons on digits, in the clear')
    .exitOverride()
  for (const command of [trainCommand, evaluateCommand, drawCommand, cardCommand])
    program.addCommand(command(surroundings).exitOverride())
  return program
}
