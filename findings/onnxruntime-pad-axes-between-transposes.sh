#!/usr/bin/env bash
# onnxruntime 1.30.0 (npm: onnxruntime-node), with its default graph optimisation, cannot run a Pad that names its axes (operator set 18)
# between two Transposes.
#
# A good guess would be that a valid file runs with every level of optimisation. The optimiser moves the first Transpose behind the
# Pad and reorders the list of pads as if it had a pair for every axis; here it has pairs for the named axes only, and a Gather of
# its own making reads beyond the list. That is how a network with channels last pads its rows and columns. Seen:
#
#   onnxruntime 1.30.0
#   optimisation off: 0 0 1 2 3 4 0 0
#   with the default: fails in a Gather that is not in the file (indices element out of data bounds)
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
const bytes = model({
  set: 18,
  rank: 4,
  input: [1, 1, 2, 2],
  nodes: [
    ['Transpose', ['x'], ['t'], { perm: [0, 2, 3, 1] }],
    ['Pad', ['t', 'pads', '', 'axes'], ['p']],
    ['Transpose', ['p'], ['y'], { perm: [0, 3, 1, 2] }],
  ],
  // one row of zeros before and after, along axis 1 of [batch, rows, columns, channels]; nothing along the others
  constants: [
    ['pads', [6], [1, 0, 0, 1, 0, 0], 7],
    ['axes', [3], [1, 2, 3], 7],
  ],
})
const results = []
for (const level of ['disabled', 'all']) results.push(await run(bytes, [1, 1, 2, 2], [1, 2, 3, 4], level))
if (/^error:.*Gather.*indices element out of data bounds/is.test(results[1]))
  results[1] = 'fails in a Gather that is not in the file (indices element out of data bounds)'
console.log('onnxruntime', ort.env.versions.node ?? ort.env.versions.common)
console.log('optimisation off:', results[0])
console.log('with the default:', results[1])
const expected = ['0 0 1 2 3 4 0 0', 'fails in a Gather that is not in the file (indices element out of data bounds)']
if (results.join() !== expected.join()) {
  console.error('onnxruntime behaves otherwise now')
  process.exit(1)
}
JS
node check.mjs
