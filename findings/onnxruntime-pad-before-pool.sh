#!/usr/bin/env bash
# onnxruntime 1.30.0 (npm: onnxruntime-node), with its default graph optimisation, gives other values for zeros padded before a
# maximum pool, and does not load zeros as wide as the window of a pool.
#
# A good guess would be that graph optimisation changes speed, not values. The optimiser moves the Pad into the pool. But Pad adds
# zeros, and MaxPool's own padding never wins: the maximum of -1 and a padded 0 is 0, after the move it is -1 (what
# nn.ZeroPad2d before nn.MaxPool2d gives with inputs below zero). And a pool refuses pads as large as its window, so a valid file
# does not load. Both are right with graphOptimizationLevel 'disabled'. Seen:
#
#   onnxruntime 1.30.0
#   zeros around -1 -2 -3 -4, maxima of 2 x 2, optimisation off: 0 0 0 0 -1 0 0 0 0
#   the same with the default: -1 -1 -2 -1 -1 -2 -3 -3 -4
#   two rings of zeros around 1 2 3 4, means of 2 x 2, optimisation off: 0 0 0 0 2.5 0 0 0 0
#   the same with the default: does not load (pad should be smaller than kernel)
#
# Exits 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
# its install script only fetches libraries for graphics cards
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 >/dev/null
cat >check.mjs <<'JS'
import ort from 'onnxruntime-node'
// an ONNX file written field by field (numbers of onnx.proto)
const varint = (value) => {
  const out = []
  let v = BigInt.asUintN(64, BigInt(value))
  for (; v > 127n; v >>= 7n) out.push(Number(v & 127n) | 128)
  return [...out, Number(v)]
}
const int = (field, value) => [...varint(field << 3), ...varint(value)]
const raw = (field, bytes) => [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes]
const text = (field, value) => raw(field, new TextEncoder().encode(value))
const tensor = (name, dims, data, type) => [
  ...dims.flatMap((d) => int(1, d)),
  ...int(2, type),
  ...text(8, name),
  ...raw(9, new Uint8Array((type === 7 ? BigInt64Array.from(data, BigInt) : Float32Array.from(data)).buffer)),
]
const info = (name, dims) => [
  ...text(1, name),
  ...raw(2, raw(1, [...int(1, 1), ...raw(2, dims.flatMap((d) => raw(1, typeof d === 'number' ? int(1, d) : text(2, d))))])),
]
const attribute = (name, value) => [
  ...text(1, name),
  ...(Array.isArray(value) ? [...value.flatMap((v) => int(8, v)), ...int(20, 7)] : [...int(3, value), ...int(20, 2)]),
]
const node = ([op, inputs, outputs, attributes = {}]) => [
  ...inputs.flatMap((v) => text(1, v)),
  ...outputs.flatMap((v) => text(2, v)),
  ...text(4, op),
  ...Object.entries(attributes).flatMap(([k, v]) => raw(5, attribute(k, v))),
]
const model = ({ set, input, nodes, constants, rank }) =>
  Uint8Array.from([
    ...int(1, set < 10 ? 4 : 8),
    ...raw(7, [
      ...nodes.flatMap((n) => raw(1, node(n))),
      ...text(2, 'finding'),
      ...constants.flatMap((c) => raw(5, tensor(...c))),
      ...raw(11, info('x', input)),
      ...raw(12, info('y', Array.from({ length: rank }, (_, i) => `d${i}`))),
    ]),
    ...raw(8, int(2, set)),
  ])
const run = async (bytes, shape, data, graphOptimizationLevel) => {
  try {
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4, graphOptimizationLevel })
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.from(data), shape) })
    return [...y.data].map((v) => Number(v.toFixed(4))).join(' ')
  } catch (error) {
    return `error: ${error.message.slice(0, 900)}`
  }
}
const i64 = (...data) => ['pads', [data.length], data, 7]
const build = (pool, pads) =>
  model({
    set: 13,
    rank: 4,
    input: [1, 1, 2, 2],
    nodes: [
      ['Pad', ['x', 'pads'], ['p']],
      [pool, ['p'], ['y'], { kernel_shape: [2, 2], strides: pool === 'MaxPool' ? [1, 1] : [2, 2] }],
    ],
    constants: [i64(...pads)],
  })
const shape = [1, 1, 2, 2]
const maxima = build('MaxPool', [0, 0, 1, 1, 0, 0, 1, 1])
const means = build('AveragePool', [0, 0, 2, 2, 0, 0, 2, 2])
const results = []
for (const level of ['disabled', 'all']) results.push(await run(maxima, shape, [-1, -2, -3, -4], level))
for (const level of ['disabled', 'all']) results.push(await run(means, shape, [1, 2, 3, 4], level))
if (/^error:.*pad should be smaller/is.test(results[3])) results[3] = 'does not load (pad should be smaller than kernel)'
console.log('onnxruntime', ort.env.versions.node ?? ort.env.versions.common)
console.log('zeros around -1 -2 -3 -4, maxima of 2 x 2, optimisation off:', results[0])
console.log('the same with the default:', results[1])
console.log('two rings of zeros around 1 2 3 4, means of 2 x 2, optimisation off:', results[2])
console.log('the same with the default:', results[3])
const expected = [
  '0 0 0 0 -1 0 0 0 0',
  '-1 -1 -2 -1 -1 -2 -3 -3 -4',
  '0 0 0 0 2.5 0 0 0 0',
  'does not load (pad should be smaller than kernel)',
]
if (results.join() !== expected.join()) {
  console.error('onnxruntime behaves otherwise now')
  process.exit(1)
}
JS
node check.mjs
