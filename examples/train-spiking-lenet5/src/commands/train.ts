import { Command } from 'commander'
import { openKernels } from '../kernels.ts'
import { RECIPES, recipeNamed } from '../recipes/index.ts'
import { trainRecipe } from '../training/train-recipe.ts'
import { addCommon, type CommonOptions, integerFrom, type Surroundings } from './common.ts'

interface Options extends CommonOptions {
  readonly recipe: string
  readonly out: string
  readonly epochs?: number
  readonly seed?: number
  readonly from?: string
  readonly resume?: boolean
}

/** `train`: a model from a recipe. */
export const trainCommand = ({ show, signal }: Surroundings): Command =>
  addCommon(new Command('train'))
    .description('train a recipe: model, learning curves and other pictures; Ctrl-C stops, --resume goes on')
    .requiredOption('--recipe <name>', `one of ${Object.keys(RECIPES).join(', ')}`)
    .option('--out <folder>', 'where runs go, each to a folder of its own', 'demo-output/training')
    .option('--epochs <n>', "instead of the recipe's", integerFrom(1))
    .option('--seed <n>', "instead of the recipe's", integerFrom(0))
    .option('--from <model>', 'model to start from, without .json, for recipes on grids')
    .option('--resume', "go on from the run's checkpoint")
    .action(async ({ recipe: name, data, out, epochs, seed, from, resume, samples, ...options }: Options) => {
      const recipe = recipeNamed(name)
      const training = {
        ...recipe.training,
        ...(epochs !== undefined && { epochs }),
        ...(seed !== undefined && { seed }),
      }
      await using kernels = openKernels({ ...options, onNotice: show.notice })
      await trainRecipe({ ...recipe, training }, { data, out, kernels, show, resume, from, samples, signal })
    })
