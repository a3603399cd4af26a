import { describe, expect, it } from 'vitest'
import {
  applyFactors,
  type CalibratedLayer,
  createTensor,
  foldFactors,
  forwardAll,
  type Layer,
  Model,
  WIDEST_RANGE,
} from './index.ts'
import { plus, scale, toy } from './toy-layers.test-helper.ts'

const sum = (name: string): Layer => toy('sum', name, (v) => 4 * v, { homogeneous: true })
const average = (name: string): Layer =>
  toy('average', name, (v) => v, { factored: () => ({ factor: 1 / 4, layer: sum(name) }) })
const square = (name: string): Layer => toy('square', name, (v) => v * v, { gapSensitive: true })
const same = (name: string): Layer => toy('same', name, (v) => v, { homogeneous: true })

/** |x|, for inputs of up to `range`; widened where an integer of the factor is near. */
const fitted = (name: string, range: number, factors: readonly [number, number] = [1, 1]): CalibratedLayer => {
  const [before, after] = factors
  const layer: CalibratedLayer = {
    ...toy('fitted', name, (v) => after * Math.abs(v / before)),
    calibrated: true,
    inputScale: Math.round(1e9 / (range * before)) / 1e9,
    calibrate: () => layer,
    forwardApproximate: (inputs) => layer.forward(inputs),
    fittedForm: { range, factors },
    withFittedForm: (form) => fitted(name, form.range as number, form.factors as [number, number]),
    scaleOutput: (c) => fitted(name, range, [before, after * c]),
    withInputFactor: (c) => {
      const scale = 1 / (range * before * c)
      const integer = Math.floor(scale + 1e-9)
      expect(scale / integer).toBeLessThanOrEqual(WIDEST_RANGE + 1e-9)
      return fitted(name, 1 / (integer * before * c), [before * c, after])
    },
  }
  return layer
}

function chain(...layers: Layer[]): Model {
  const input = { name: 'x', shape: [1] }
  return new Model({
    name: 'm',
    input,
    nodes: layers.map((layer, i) => ({ layer, inputs: [i ? layers[i - 1]!.name : 'x'] })),
  })
}
const kinds = (model: Model): string[] => model.nodes.map((n) => n.layer.kind)

const network = (...nodes: readonly (readonly [Layer, ...string[]])[]): Model =>
  new Model({
    name: 'm',
    input: { name: 'x', shape: [1] },
    nodes: nodes.map(([layer, ...inputs]) => ({ layer, inputs })),
  })

describe('foldFactors', () => {
  it.each([
    ['into the producer', chain(scale('a', 2, 3), average('p'), square('s')), 'sum'],
    ['through homogeneous layers', chain(scale('a', 2, 3), same('i'), average('p'), square('s')), 'sum'],
    ['into the reader when the producer cannot', chain(square('s'), average('p'), same('i'), scale('a', 2, 3)), 'sum'],
    ['nowhere between two squares', chain(square('s'), average('p'), square('t')), 'average'],
    ['nowhere at the ends', chain(average('p')), 'average'],
    [
      'into every reader of a value that cannot change',
      network(
        [square('s'), 'x'],
        [average('p'), 's'],
        [scale('a', 2, 1), 'p'],
        [scale('b', -1, 2), 'p'],
        [plus('y'), 'a', 'b'],
      ),
      'sum',
    ],
    [
      'past an addition whose branches others read too',
      network(
        [scale('a', 2, 3), 'x'],
        [average('p'), 'a'],
        [scale('b', 0.5, 1), 'p'],
        [plus('y'), 'b', 'p'],
        [scale('c', 3, 1), 'y'],
      ),
      'sum',
    ],
    [
      'nowhere when the branches of an addition would differ',
      network([scale('a', 2, 3), 'x'], [average('p'), 'a'], [plus('y'), 'a', 'p'], [scale('c', 3, 1), 'y']),
      'average',
    ],
  ])('moves the factor %s', (_, model, kind) => {
    const { model: folded, factors } = foldFactors(model)
    expect(kinds(folded).filter((k) => ['sum', 'average'].includes(k))).toEqual([kind])
    expectSameFunction(model, folded, factors)
  })
  it('leaves a producer alone that a layer reads which takes no factor', () => {
    const model = network([scale('a', 2, 3), 'x'], [square('s'), 'a'], [average('p'), 'a'], [square('t'), 'p'])
    expect(kinds(foldFactors(model).model)).toEqual(['scale', 'square', 'average', 'square'])
  })
  it('keeps as many constants as do not fit together', () => {
    const model = network(
      [scale('a', 2, 3), 'x'],
      [average('p'), 'a'],
      [average('q'), 'p'],
      [average('r'), 'a'],
      [plus('y'), 'q', 'r'],
      [scale('c', 3, 1), 'y'],
    )
    const { model: folded, factors } = foldFactors(model)
    expect(kinds(folded).filter((kind) => kind === 'average').length).toBeGreaterThan(0)
    expectSameFunction(model, folded, factors)
  })
  it('gives every stage one factor: an activation after an addition takes no level', () => {
    // x - a - r - b - y = b + r - s - c: the sum's branches are read by two layers
    const model = network(
      [scale('a', 2, 3), 'x'],
      [fitted('r', 5), 'a'],
      [scale('b', 0.5, 1), 'r'],
      [plus('y'), 'b', 'r'],
      [fitted('s', 20), 'y'],
      [scale('c', 3, 1), 's'],
    )
    const { model: folded, factors } = foldFactors(model)
    expect(scalesOf(folded)).toEqual([1, 1])
    expect([...factors]).toEqual([
      ['x', 1],
      ['a', 1 / 5],
      ['r', 1 / 20],
      ['b', 1 / 20],
      ['y', 1 / 20],
      ['s', 1],
      ['c', 1],
    ])
    expectSameFunction(model, folded, factors)
  })
  it.each([
    [[5, 20], [4, 1], 20],
    [[7, 20, 3], [8, 3, 20], 60],
    [[4, 5], [5, 4], 20],
    [[9, 10], [1, 1], 10],
  ])('gives ranges %j of one stage the integers %j', (ranges, integers, held) => {
    const readers = ranges.map((range, i) => [fitted(`r${i}`, range), 'a'] as const)
    const sums = ranges.slice(1).map((_, i) => [plus(`y${i}`), i ? `y${i - 1}` : 'r0', `r${i + 1}`] as const)
    const model = network([scale('a', 2, 3), 'x'], ...readers, ...sums)
    const { model: folded, factors } = foldFactors(model)
    expect(scalesOf(folded)).toEqual(integers)
    expect(1 / factors.get('a')!).toBeCloseTo(held, 9)
    expectSameFunction(model, folded, factors)
  })
})

const scalesOf = (model: Model): number[] =>
  model.nodes.flatMap(({ layer }) => ('inputScale' in layer ? [layer.inputScale as number] : []))

/** Every value of the folded model is the one of the other times its factor. */
function expectSameFunction(model: Model, folded: Model, factors: ReadonlyMap<string, number>): void {
  const valuesOf = (of: Model): Map<string, number> => {
    const values = new Map<string, number>()
    of.evaluate(createTensor([1], Float64Array.of(1.5)), ({ name, layer }, inputs) => {
      const results = forwardAll(layer, inputs)
      values.set(name, results[0]!.data[0]!)
      return results
    })
    return values
  }
  const after = valuesOf(folded)
  for (const [name, value] of valuesOf(model)) expect(after.get(name)! / factors.get(name)!, name).toBeCloseTo(value, 9)
}

describe('a decision', () => {
  it('applied to the model again gives the same layers, with fitted ones as they were told', () => {
    const model = chain(scale('a', 2, 1), fitted('f', 4), average('p'), scale('b', 3, -1))
    const { model: folded, ...decision } = foldFactors(model)
    const finished = new Map(folded.nodes.filter(({ name }) => name === 'f').map(({ name, layer }) => [name, layer]))
    const again = applyFactors(model, decision, finished)
    const x = createTensor([1], Float64Array.of(0.75))
    expect(again.forward(x)).toEqual(folded.forward(x))
    expect(again.forward(x).data[0]).toBeCloseTo(model.forward(x).data[0]!, 12)
    expect(decision.relieved).toEqual(new Set(['p']))
  })
  it('that does not fit the model is refused', () => {
    const model = chain(scale('a', 2, 1), square('s'))
    const { factors } = foldFactors(model)
    const decision = { factors, relieved: new Set<string>(), sumsOverTime: false }
    expect(() => applyFactors(model, { ...decision, relieved: new Set(['a']) })).toThrow(/no constant/)
    expect(() => applyFactors(model, { ...decision, factors: new Map() })).toThrow(/has no factor/)
    const doubled = new Map([...factors].map(([name]) => [name, 2]))
    expect(() => applyFactors(model, { ...decision, factors: doubled })).toThrow(/"s" cannot hold its values times 2/)
  })
})
