/** A process that trains with checkpoints in a folder; the test kills it. Usage: killed-run.test-helper.ts FOLDER */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNetwork } from '../network/network.ts'
import { checkpointFile } from '../node/checkpoint-file.ts'
import { saveModel } from '../node/model-on-disk.ts'
import { toyDigits, toyNetwork, toyRecipe } from './toy-digits.test-helper.ts'
import { train } from './train.ts'

const folder = process.argv[2]!
const file = checkpointFile(join(folder, 'checkpoint.safetensors'))
const resume = await file.read()
const network = createNetwork(toyNetwork(), { seed: resume ? 99 : 3 })
await train(network, {
  data: toyDigits(150, 1),
  recipe: toyRecipe,
  checkpoint: { everySteps: 2, write: file.write },
  ...(resume && { resume }),
  onProgress: ({ epoch, step }) => {
    // slow enough to be killed half-way
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    process.stdout.write(`${epoch} ${step}\n`)
  },
})
await saveModel(join(folder, 'model'), network)
writeFileSync(join(folder, 'done'), '')
