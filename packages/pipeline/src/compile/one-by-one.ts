/** Plans without bootstraps in lock step, which need the working memory of several. */
import { buildProgram } from '../program/build-program.ts'
import type { Chosen } from './leveled.ts'

/** The same with one bootstrap after another; undefined where that is so already. */
export function oneByOne(chosen: Chosen): Chosen | undefined {
  const { network, steps, program, bootstrapping, functional } = chosen
  const { circuits, functionals } = program
  if ([...circuits, ...functionals].every(({ together }) => together === undefined)) return undefined
  return {
    ...chosen,
    program: buildProgram(network, steps, circuits.map(alone), functionals.map(alone)),
    ...(bootstrapping ? { bootstrapping: { ...bootstrapping, circuits: bootstrapping.circuits.map(alone) } } : {}),
    ...(functional ? { functional: { ...functional, circuits: functional.circuits.map(alone) } } : {}),
  }
}

const alone = <T extends { readonly together?: number }>({ together: _, ...rest }: T): Omit<T, 'together'> => rest
