/**
 * Makes models/lenet5-relu.calibration.json: what the activations see on MNIST training digits.
 *   npm run --silent he-ml is not needed; from the repository's root:
 *   node scripts/run.mjs examples/lenet5/src/calibrate.ts MNIST_FOLDER [SAMPLES]
 */
import { readFile, writeFile } from 'node:fs/promises'
import { imageTensor, loadMnist, MNIST_NORMALIZATION } from '@he-ml/datasets'
import { createTensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { fit, serializeCalibration } from '@he-ml/pipeline'

const [folder, samples = '5000'] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: calibrate.ts MNIST_FOLDER [SAMPLES]')
const model = await importOnnx(await readFile(new URL('../models/lenet5-relu.onnx', import.meta.url)), {
  name: 'lenet5-relu',
})
const digits = await loadMnist(folder, { split: 'train' })
const count = Math.min(Number(samples), digits.count)
const inputs = (function* () {
  for (let i = 0; i < count; i++) yield createTensor([1, 28, 28], imageTensor(digits, i, MNIST_NORMALIZATION).data)
})()
const calibration = await fit(model, inputs, {
  onProgress: (done) => console.error(`${done} of ${count}`),
})
await writeFile(
  new URL('../models/lenet5-relu.calibration.json', import.meta.url),
  `${serializeCalibration(calibration)}\n`,
)
