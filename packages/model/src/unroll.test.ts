import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldFactors, type GraphLayer, Model, type NodeDescription, originOf, type Readout, unroll } from './index.ts'
import { createTensor } from './tensor.ts'
import { neuron, parts, scale } from './toy-layers.test-helper.ts'

const node = (layer: GraphLayer, ...inputs: string[]): NodeDescription => ({ layer, inputs })

/** Two neurons behind each other; each keeps its membrane. */
const network = (steps: number, readout: Readout, wanted?: readonly [number, number]): Model =>
  new Model({
    name: 'm',
    input: { name: 'x', shape: [3] },
    nodes: [
      node(scale('current', 1.5, 0.25), 'x'),
      node(neuron('lif1', wanted?.[0]), 'current'),
      node(scale('fc', 0.75, -0.125), 'lif1/spike'),
      node(neuron('lif2', wanted?.[1]), 'fc'),
      node(scale('out', 2, 0.5), 'lif2/membrane'),
    ],
    states: [
      { value: 'lif1/membrane', node: 'lif1', input: 1 },
      { value: 'lif2/membrane', node: 'lif2', input: 1 },
    ],
    steps,
    readout,
  })

describe('unroll', () => {
  it('gives one node per step, all with one layer, and none that nobody reads', () => {
    const rolled = network(3, 'last')
    const { nodes, states, steps } = unroll(rolled)
    expect([states, steps]).toEqual([[], 1])
    expect(nodes.map(({ name, inputs }) => `${name}: ${inputs}`)).toEqual([
      'current: x',
      'lif1@0: current',
      'fc@0: lif1@0/spike',
      'lif2@0: fc@0',
      'lif1@1: current,lif1@0/membrane',
      'fc@1: lif1@1/spike',
      'lif2@1: fc@1,lif2@0/membrane',
      'lif1@2: current,lif1@1/membrane',
      'fc@2: lif1@2/spike',
      'lif2@2: fc@2,lif2@1/membrane',
      'out@2: lif2@2/membrane',
    ])
    for (const { name, layer, origin } of nodes) {
      expect(layer).toBe(rolled.nodes.find((n) => n.name === name.split('@')[0])!.layer)
      expect(origin).toEqual(name === 'current' ? undefined : { node: name.split('@')[0], step: Number(name.at(-1)) })
    }
    expect(originOf(unroll(rolled), 'lif2@1/membrane')).toBe('lif2/membrane')
    expect(originOf(unroll(rolled), 'current')).toBe('current')
    expect(originOf(unroll(rolled), 'x')).toBe('x')
  })

  it('is the same function, to the bit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom<Readout>('sum', 'mean', 'last'),
        (values, steps, readout) => {
          const x = createTensor([3], Float64Array.from(values))
          const model = network(steps, readout)
          expect(unroll(model).forward(x)).toEqual(model.forward(x))
        },
      ),
    )
  })

  it('lets a layer that can give all steps at once where its input is the same at each', () => {
    const one = neuron('lif1')
    const asked: (readonly string[])[] = []
    const whole: typeof one = {
      ...one,
      overSteps(steps, outputs) {
        asked.push(outputs)
        return {
          kind: 'neurons',
          name: 'lif1',
          arity: 1,
          outputs: outputs.flatMap((output) => Array.from({ length: steps }, (_, t) => `${output}@${t}`)),
          digestParts: () => [],
          outputShapes: ([shape]) => new Array(steps * outputs.length).fill(shape!),
          forwardAll: ([x]) => {
            const results: (typeof x)[][] = outputs.map(() => [])
            let membrane: typeof x
            for (let t = 0; t < steps; t++) {
              const made = one.forwardAll(membrane ? [x!, membrane] : [x!])
              membrane = made[1]
              for (const [i, output] of outputs.entries()) results[i]!.push(made[one.outputs.indexOf(output)])
            }
            return results.flat() as NonNullable<typeof x>[]
          },
        }
      },
    }
    const { name, input, output, states, steps, readout, nodes } = network(3, 'sum')
    const given = nodes.map((n) => ({ ...n, layer: n.name === 'lif1' ? whole : n.layer }))
    const model = new Model({ name, input, output, states, steps, readout, nodes: given })
    const flat = unroll(model)
    expect(asked).toEqual([['spike']])
    expect(flat.nodes.map(({ name, inputs }) => `${name}: ${inputs}`).slice(0, 7)).toEqual([
      'current: x',
      'lif1: current',
      'fc@0: lif1/spike@0',
      'lif2@0: fc@0',
      'out@0: lif2@0/membrane',
      'fc@1: lif1/spike@1',
      'lif2@1: fc@1,lif2@0/membrane',
    ])
    expect(originOf(flat, 'lif1/spike@1')).toBe('lif1/spike')
    expect(originOf(flat, 'lif2@1/membrane')).toBe('lif2/membrane')
    const x = createTensor([3], Float64Array.of(0.1, 0.4, 1.3))
    expect(flat.forward(x)).toEqual(model.forward(x))
    // frames are another input at each step
    asked.length = 0
    unroll(new Model({ name, input: { ...input, time: 'perStep' }, output, states, steps, readout, nodes: given }))
    expect(asked).toEqual([])
  })
  it('leaves a model without states alone, and names with slashes', () => {
    const plain = new Model({
      name: 'm',
      input: { name: 'in/x', shape: [1] },
      nodes: [node(parts('a/b'), 'in/x'), node(scale('c', 1, 0), 'a/b/negative')],
    })
    expect(unroll(plain)).toBe(plain)
    const stateful = new Model({
      name: 'm',
      input: { name: 'in/x', shape: [1] },
      nodes: [node(neuron('net/readout'), 'in/x'), node(scale('readout', 2, 0), 'net/readout/spike')],
      states: [{ value: 'net/readout/membrane', node: 'net/readout', input: 1 }],
      steps: 2,
      readout: 'sum',
    })
    const { output, nodes } = unroll(stateful)
    expect(output).toBe("readout'")
    expect(nodes.at(-1)!.inputs).toEqual(['readout@0', 'readout@1'])
  })
})

/** The same two neurons on a frame of three for each step; the current behind it has no state of its own. */
const onFrames = (steps: number, readout: Readout, wanted?: readonly [number, number]): Model =>
  new Model({ ...network(steps, readout, wanted), input: { name: 'x', shape: [3], time: 'perStep' } })

/** [steps, 3], other numbers in every frame. */
const frames = (steps: number, at: (i: number) => number = (i) => Math.sin(3 * i)) =>
  createTensor(
    [steps, 3],
    Float64Array.from({ length: 3 * steps }, (_, i) => at(i)),
  )

describe('frames', () => {
  it('become values of their own, one for each step, and what reads them runs at every step', () => {
    const rolled = onFrames(2, 'sum')
    expect([...rolled.stepwise].sort()).toEqual(['current', 'fc', 'lif1', 'lif2', 'out'])
    const plain = unroll(rolled)
    expect(plain.input).toEqual({ name: 'x', shape: [3], time: 'perStep', frames: ['x@0', 'x@1'] })
    expect([rolled.inputs, plain.inputs]).toEqual([['x'], ['x@0', 'x@1']])
    expect([rolled.inputShape, plain.inputShape]).toEqual([
      [2, 3],
      [2, 3],
    ])
    expect(plain.nodes.slice(0, 2).map(({ name, inputs }) => `${name}: ${inputs}`)).toEqual([
      'current@0: x@0',
      'lif1@0: current@0',
    ])
    expect(plain.nodes.find(({ name }) => name === 'current@1')).toMatchObject({
      inputs: ['x@1'],
      layer: rolled.nodes[0]!.layer,
      origin: { node: 'current', step: 1 },
    })
    expect(['x@1', 'current@1', 'lif1@1/membrane'].map((value) => originOf(plain, value))).toEqual([
      'x',
      'current',
      'lif1/membrane',
    ])
    expect(unroll(plain)).toBe(plain)
    const twice = { ...plain, input: { ...plain.input, frames: ['x@0', 'x@0'] } }
    expect(() => new Model(twice)).toThrow(/two frames have one name/)
  })

  it('give the same result unrolled and folded, to the bit, and a static input that of equal frames', () => {
    for (const readout of ['sum', 'mean', 'last'] as const) {
      const model = onFrames(4, readout, [1 / 4, 1 / 2])
      const given = frames(4)
      expect(unroll(model).forward(given)).toEqual(model.forward(given))
      const folded = foldFactors(model).model
      expect([...unroll(folded).forward(given).data]).toEqual([...model.forward(given).data])
      const still = network(4, readout).forward(createTensor([3], Float64Array.of(0.25, 1, -0.5)))
      expect(onFrames(4, readout).forward(frames(4, (i) => [0.25, 1, -0.5][i % 3]!))).toEqual(still)
    }
  })

  it('need no state where the readout takes all of them', () => {
    const stateless = (readout: Readout): Model =>
      new Model({
        name: 'm',
        input: { name: 'x', shape: [3], time: 'perStep' },
        nodes: [node(scale('w', 2, 1), 'x')],
        steps: 2,
        readout,
      })
    const given = createTensor([2, 3], Float64Array.of(1, 2, 3, 10, 20, 30))
    expect([...stateless('sum').forward(given).data]).toEqual([24, 46, 68])
    expect(unroll(stateless('sum')).forward(given)).toEqual(stateless('sum').forward(given))
    expect(() => stateless('last')).toThrow(/only the last of 2 frames would count/)
  })
})

describe('foldFactors over time', () => {
  it('holds a neuron with its current and its state as the polynomial wants, and turns a mean into a sum', () => {
    const model = network(4, 'mean', [1 / 4, 1 / 2])
    const { model: folded, factors } = foldFactors(model)
    expect(folded.readout).toBe('sum')
    expect(Object.fromEntries(factors)).toEqual({
      x: 1,
      current: 1 / 4,
      'lif1/spike': 1,
      'lif1/membrane': 1 / 4,
      fc: 1 / 2,
      'lif2/spike': 1,
      'lif2/membrane': 1 / 2,
      out: 1 / 4,
    })
    for (const { layer } of folded.nodes) if ('factorGroups' in layer) expect(layer.factorGroups![0]!.wanted).toBe(1)
    const x = createTensor([3], Float64Array.of(0.3, -1, 0.9))
    expect([...folded.forward(x).data]).toEqual([...model.forward(x).data])
    expect([...unroll(folded).forward(x).data]).toEqual([...model.forward(x).data])
  })

  it('keeps the mean where nothing can take its factor', () => {
    const model = new Model({
      name: 'm',
      input: { name: 'x', shape: [1] },
      nodes: [node({ ...neuron('lif'), factorGroups: [], withFactors: undefined! }, 'x')],
      states: [{ value: 'lif/membrane', node: 'lif', input: 1 }],
      steps: 2,
      readout: 'mean',
    })
    const { model: folded, factors } = foldFactors(model)
    expect(folded.readout).toBe('mean')
    expect([...factors.values()]).toEqual([1, 1, 1])
    expect(folded.nodes[0]!.layer).toBe(model.nodes[0]!.layer)
  })
})
