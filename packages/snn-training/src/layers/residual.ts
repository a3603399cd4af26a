import { repeatOverTime, type Shape, type Signal, sumOverTime, zerosLike } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, NamedValues, Parameter, Pass } from './layer.ts'
import type { Sequence } from './sequence.ts'

/** The sum of two paths from the same input; an empty shortcut is the identity. */
export class ResidualLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters: readonly Parameter[]
  readonly statistics: readonly NamedValues[]
  readonly #main: Sequence
  readonly #shortcut: Sequence
  readonly #kept: Kept<{ readonly mainSteps: number; readonly shortcutSteps: number }>

  constructor(name: string, main: Sequence, shortcut: Sequence) {
    this.name = name
    this.outputShape = main.outputShape
    this.#main = main
    this.#shortcut = shortcut
    this.parameters = [...main.parameters, ...shortcut.parameters]
    this.statistics = [...main.statistics, ...shortcut.statistics]
    this.#kept = new Kept(name)
  }

  async forward(input: Signal, pass: Pass): Promise<Signal> {
    const main = await this.#main.forward(input, pass)
    const shortcut = await this.#shortcut.forward(input, pass)
    this.#kept.put({ mainSteps: main.steps, shortcutSteps: shortcut.steps }, pass.training)
    return add(main, shortcut)
  }

  async backward(gradient: Signal, pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { mainSteps, shortcutSteps } = this.#kept.take()
    const main = await this.#main.backward(sumOverTime(gradient, mainSteps), pass, wantInput)
    const shortcut = await this.#shortcut.backward(sumOverTime(gradient, shortcutSteps), pass, wantInput)
    return main && shortcut && add(main, shortcut)
  }
}

/** A path without neurons may still be static when the other is not. */
function add(left: Signal, right: Signal): Signal {
  const steps = Math.max(left.steps, right.steps)
  const [a, b] = [repeatOverTime(left, steps).data, repeatOverTime(right, steps).data]
  const data = zerosLike(a)
  for (let i = 0; i < data.length; i++) data[i] = a[i]! + b[i]!
  return { ...left, data, steps }
}
