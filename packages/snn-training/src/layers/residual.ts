import type { Shape } from '@he-ml/model'
import { type Signal, sumOverTime } from '../tensor/signal.ts'
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
    return add(main, shortcut, pass)
  }

  async backward(gradient: Signal, pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { mainSteps, shortcutSteps } = this.#kept.take()
    const main = await this.#main.backward(sumOverTime(gradient, mainSteps, pass.allocate), pass, wantInput)
    const shortcut = await this.#shortcut.backward(sumOverTime(gradient, shortcutSteps, pass.allocate), pass, wantInput)
    return main && shortcut && add(main, shortcut, pass)
  }
}

/** A path without neurons may still be static when the other is not. */
function add(left: Signal, right: Signal, { allocate }: Pass): Signal {
  const steps = Math.max(left.steps, right.steps)
  const size = left.data.length / left.steps
  const data = allocate(steps * size)
  for (let t = 0; t < steps; t++) {
    const [to, a, b] = [t * size, left.steps === 1 ? 0 : t * size, right.steps === 1 ? 0 : t * size]
    for (let i = 0; i < size; i++) data[to + i] = left.data[a + i]! + right.data[b + i]!
  }
  return { ...left, data, steps }
}
