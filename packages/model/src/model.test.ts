import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { type GraphLayer, Model, type ModelDescription, type NodeDescription, type Tensor, unroll } from './index.ts'
import { createTensor } from './tensor.ts'
import { neuron, parts, plus, scale, toy } from './toy-layers.test-helper.ts'

const input = { name: 'x', shape: [2] }
const of = (...values: number[]): Tensor => createTensor([values.length], Float64Array.from(values))
const node = (layer: GraphLayer, ...inputs: string[]): NodeDescription => ({ layer, inputs })
const model = (more: Partial<ModelDescription> & Pick<ModelDescription, 'nodes'>): Model =>
  new Model({ name: 'm', input, ...more })

/** A current, a neuron with a state, and a readout of weighted spikes. */
const recurrent = (more: Partial<ModelDescription> = {}): Model =>
  model({
    nodes: [node(scale('current', 1, 0), 'x'), node(neuron('lif'), 'current'), node(scale('out', 3, 1), 'lif/spike')],
    states: [{ value: 'lif/membrane', node: 'lif', input: 1 }],
    steps: 4,
    readout: 'sum',
    ...more,
  })

describe('nodes', () => {
  it('bear the name of their layer unless they have their own, and may share a layer', () => {
    const shared = scale('w', 2, 1)
    const twice = model({ nodes: [node(shared, 'x'), { name: 'again', layer: shared, inputs: ['w'] }] })
    expect(twice.nodes.map(({ name, values }) => [name, values])).toEqual([
      ['w', ['w']],
      ['again', ['again']],
    ])
    expect([...twice.forward(of(1, -1)).data]).toEqual([7, -1])
  })

  it('with several outputs give values that others read by name', () => {
    const branches = model({
      nodes: [node(parts('p'), 'x'), node(scale('a', 10, 0), 'p/negative'), node(plus('y'), 'p/positive', 'a')],
    })
    expect([...branches.shapes.keys()]).toEqual(['x', 'p/positive', 'p/negative', 'a', 'y'])
    expect([...branches.forward(of(3, -2)).data]).toEqual([3, -20])
    expect([...model({ nodes: [node(parts('p'), 'x')] }).forward(of(3, -2)).data]).toEqual([3, 0])
    expect([...model({ nodes: [node(parts('p'), 'x')], output: 'p/negative' }).forward(of(3, -2)).data]).toEqual([
      0, -2,
    ])
  })

  it.each<[string, () => Model, RegExp]>([
    ['no nodes', () => model({ nodes: [] }), /has no layers/],
    [
      'a name used twice',
      () => model({ nodes: [node(scale('a', 1, 0), 'x'), node(scale('a', 1, 0), 'a')] }),
      /"a".*twice/,
    ],
    [
      'a node that is called like a value',
      () => model({ nodes: [node(parts('p'), 'x'), node(scale('p/negative', 1, 0), 'x')] }),
      /"p\/negative" is used twice/,
    ],
    ['the wrong number of inputs', () => model({ nodes: [node(plus('a'), 'x')] }), /"a" takes 2 inputs, got 1/],
    ['a neuron without a current', () => model({ nodes: [node(neuron('a'))] }), /"a" takes 1 to 2 inputs, got 0/],
    ['an unknown input', () => model({ nodes: [node(scale('a', 1, 0), 'y')] }), /its input "y" is neither/],
    [
      'a whole layer where one of its outputs is meant',
      () => model({ nodes: [node(parts('p'), 'x'), node(scale('a', 1, 0), 'p')] }),
      /"p" has several outputs: name one of "p\/positive", "p\/negative"/,
    ],
    ['an unknown output', () => model({ nodes: [node(scale('a', 1, 0), 'x')], output: 'b' }), /no layer is called "b"/],
    [
      'outputs of one name',
      () => model({ nodes: [node({ ...parts('p'), outputs: ['o', 'o'] }, 'x')] }),
      /"p": expected outputs with names of their own/,
    ],
    [
      'outputs without a shape',
      () => model({ nodes: [node({ ...parts('p'), outputShapes: () => [[2]] }, 'x')] }),
      /"p" has 2 outputs, and shapes for 1/,
    ],
  ])('are refused: %s', (_, make, message) => {
    expect(make).toThrow(InvalidArgumentError)
    expect(make).toThrow(message)
  })
})

describe('time', () => {
  it('carries states, and computes what does not depend on one once', () => {
    const seen: string[] = []
    // u = 0.75, 1.125 -> 0.125, 0.8125, 1.15625 -> 0.15625: spikes at the second and fourth step
    const result = recurrent().forward(of(0.75, 0), ({ name }, inputs, step) => {
      seen.push(`${name} ${step} ${inputs.length}`)
    })
    expect([...result.data]).toEqual([2 * 3 + 4, 4])
    expect(seen).toEqual([
      'current 0 1',
      'lif 0 1',
      'out 0 1',
      ...[1, 2, 3].flatMap((step) => [`lif ${step} 2`, `out ${step} 1`]),
    ])
  })
  it.each([
    ['sum', [10, 4]],
    ['mean', [2.5, 1]],
    ['last', [4, 1]],
  ] as const)('reads out the %s', (readout, wanted) => {
    expect([...recurrent({ readout }).forward(of(0.75, 0)).data]).toEqual(wanted)
  })
  it('carries a value of the step before, whether its node runs earlier or later', () => {
    // the neuron's state is what a later layer made of its membrane
    const fed = model({
      nodes: [node(neuron('lif'), 'x'), node(scale('leak', 0.5, 0), 'lif/membrane')],
      states: [{ value: 'leak', node: 'lif', input: 1 }],
      steps: 3,
    })
    // membranes: 0.5, 0.5 / 4 + 0.5, (0.625 / 4) + 0.5
    expect(fed.forward(of(0.5, 0)).data[0]).toBe((0.625 / 4 + 0.5) / 2)
  })

  const state = { value: 'lif/membrane', node: 'lif', input: 1 }
  it.each<[string, Partial<ModelDescription>, RegExp]>([
    ['a name that objects have', { input: { name: '__proto__', shape: [2] } }, /nothing can be called "__proto__"/],
    ['half a step', { steps: 1.5 }, /a positive integer of time steps, at most 65536, got 1.5/],
    ['more steps than can be planned', { steps: 1e9 }, /at most 65536, got 1000000000/],
    ['another readout', { readout: 'median' as 'sum' }, /the readout 'sum', 'mean' or 'last', got "median"/],
    ['steps without states', { states: [] }, /4 time steps without a state/],
    ['a state for nobody', { states: [{ ...state, node: 'lof' }] }, /goes to "lof", which is no node/],
    ['a state of nothing', { states: [{ ...state, value: 'lif' }] }, /carries "lif", which is no result/],
    ['the input as a state', { states: [{ ...state, value: 'x' }] }, /carries "x", which is no result/],
    ['a state in place of an input', { states: [{ ...state, input: 0 }] }, /"lif" names 1 of 2 inputs/],
    ['two states for one input', { states: [state, state] }, /"lif" names 1 of 2 inputs/],
    ['an output without a state', { output: 'current' }, /"current" depends on no state/],
    [
      'a state for a layer that needs all its inputs',
      {
        states: [{ value: 'out', node: 'y', input: 1 }],
        nodes: [node(scale('out', 1, 0), 'x'), node(plus('y'), 'out')],
      },
      /"y" needs 2 inputs at the first step, when states are absent, and names 1: only layers .*\(recurrent synapses\) cannot be written/,
    ],
    [
      'a state that changes a shape',
      {
        nodes: [
          node({ ...neuron('lif'), outputShapes: ([x, u]) => (u ? [[1], [1]] : [x!, x!]) }, 'x'),
          node(scale('out', 1, 0), 'lif/spike'),
        ],
      },
      /"lif\/spike" has the shape \[2\] at the first step and \[1\] with its states/,
    ],
  ])('is refused: %s', (_, change, message) => {
    expect(() => recurrent(change)).toThrow(InvalidArgumentError)
    expect(() => recurrent(change)).toThrow(message)
  })
  it('may bring a frame for each step, which the layers that read it see one after the other', () => {
    const frames = recurrent({ input: { ...input, time: 'perStep' }, steps: 3 })
    const seen: string[] = []
    // u = 0.5; 0.25 + 0.75 = 1 fires; 1.25 fires; the other neuron sees nothing
    const given = createTensor([3, 2], Float64Array.of(0.5, 0, 0.75, 0, 1.25, 0))
    const result = frames.forward(given, ({ name }, inputs, step) => {
      if (name === 'current') seen.push(`${step}: ${[...inputs[0]!.data]}`)
    })
    expect(seen).toEqual(['0: 0.5,0', '1: 0.75,0', '2: 1.25,0'])
    expect([...result.data]).toEqual([2 * 3 + 3, 3])
    expect([...frames.stepwise].sort()).toEqual(['current', 'lif', 'out'])
    expect(frames.inputShape).toEqual([3, 2])
  })
  it('refuses frames for a static input and the reverse, naming both', () => {
    const frames = recurrent({ input: { ...input, time: 'perStep' } })
    const give = (model: Model, ...shape: number[]) => {
      const tensor = createTensor(shape)
      expect(() => model.forward(tensor)).toThrow(InvalidArgumentError)
      return expect(() => model.forward(tensor))
    }
    give(recurrent(), 4, 2).toThrow(/takes \[2\], got \[4,2\]: .* 'static'.* 4 frames of a 'perStep' input/)
    give(frames, 2).toThrow(/takes \[4,2\], got \[2\]: .* 'perStep', a frame of \[2\] for each of 4.* 'static' input/)
    give(frames, 3, 2).toThrow(/takes \[4,2\], got \[3,2\]: .* these are 3 frames/)
    give(frames, 4, 3).toThrow(/takes \[4,2\], got \[4,3\]/)
  })
  it.each<[string, Partial<ModelDescription['input']>, RegExp]>([
    ['another time', { time: 'sometimes' as 'static' }, /'static' or 'perStep' of its input, got "sometimes"/],
    ['frames of a static input', { frames: ['a'] }, /lists frames/],
    ['frames before it is unrolled', { time: 'perStep', frames: ['x', 'y'] }, /lists frames/],
  ])('refuses an input with %s', (_, change, message) => {
    expect(() => recurrent({ input: { ...input, ...change } })).toThrow(message)
  })

  it('is no matter of the input', () => {
    expect(() => recurrent().forward(of(1))).toThrow(/takes \[2\], got \[1\]/)
    expect([
      ...model({
        nodes: [
          node(
            toy('id', 'id', (v) => v),
            'x',
          ),
        ],
      }).stepwise,
    ]).toEqual([])
    expect([...recurrent().stepwise]).toEqual(['lif', 'out'])
  })
})

describe('an input on a grid', () => {
  const grid = { step: 0.5, count: 4 }
  const layers = { nodes: [node(scale('a', 2, 1), 'x')] }
  it('is rounded to it, halves upwards, and clipped, before any layer reads it', () => {
    const rounding = model({ ...layers, input: { name: 'x', shape: [6], grid } })
    const seen: number[][] = []
    const result = rounding.forward(of(-3, -0.75, -0.3, 0.2, 0.25, 7), (_, [read]) => seen.push([...read!.data]))
    expect(seen).toEqual([[-1, -0.5, -0.5, 0, 0.5, 0.5]])
    expect([...result.data]).toEqual([-1, 0, 0, 1, 2, 2])
  })
  it('is one frame by frame, too', () => {
    const rounding = model({
      ...layers,
      input: { name: 'x', shape: [1], time: 'perStep', grid },
      steps: 2,
      readout: 'sum',
    })
    const frames = createTensor([2, 1], Float64Array.of(0.3, -0.1))
    expect([...rounding.forward(frames).data]).toEqual([3])
    expect(unroll(rounding).input.grid).toEqual(grid)
    expect([...unroll(rounding).forward(frames).data]).toEqual([3])
  })
  it.each([
    [{ step: 0, count: 4 }],
    [{ step: Number.NaN, count: 4 }],
    [{ step: Number.POSITIVE_INFINITY, count: 4 }],
    [{ step: 1, count: 3 }],
    [{ step: 1, count: 0 }],
    [{ step: 1, count: 2.5 }],
  ])('is refused: %j', (grid) => {
    const make = () => model({ ...layers, input: { name: 'x', shape: [2], grid } })
    expect(make).toThrow(InvalidArgumentError)
    expect(make).toThrow(/positive step and an even count for its input "x"/)
  })
})

describe('a description', () => {
  const good = { name: 'm', input, nodes: [node(scale('w', 2, 1), 'x')] }
  it.each([
    [{ step: 4 }, /there is no option step: did you mean steps/],
    [{ readOut: 'sum' }, /there is no option readOut: did you mean readout/],
    [{ name: null }, /the option name must be a name, got null/],
    [{ input: null }, /the option input must be an object/],
    [{ nodes: 7 }, /the option nodes must be a list of nodes/],
    [{ output: null }, /the option output must be a name/],
    [{ states: {} }, /the option states must be a list of states/],
  ])('%o is refused, whatever wrote it', (change, message) => {
    expect(() => new Model({ ...good, ...change } as never)).toThrow(message)
    expect(() => new Model({ ...good, ...change } as never)).toThrow(InvalidArgumentError)
  })
  it('of a model that there is, with something else, is one', () => {
    const model = new Model(good)
    expect(new Model({ ...model, name: 'other' })).toMatchObject({ name: 'other', output: model.output })
  })
})
