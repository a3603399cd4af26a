import { readFile } from 'node:fs/promises'
import { bindPlan, parsePlan } from '@he-ml/pipeline'
import { CIFAR_NORMALIZATION, imageTensor, loadCifar10 } from '@he-ml/datasets'
import { createTensor, isCalibrated } from '@he-ml/model'
import { loadModel } from '../networks/digits.ts'
import { approximateForward } from '../networks/approximate-forward.ts'
const set = await loadCifar10('/work/shared/data/cifar10', { split: 'test' })
const top = (v: ArrayLike<number>) => Array.from(v).reduce((b, x, i, a) => (x > a[b]! ? i : b), 0)
for (const file of process.argv.slice(2)) {
  const plan = parsePlan(await readFile(file, 'utf8'))
  const model = await loadModel('/work/shared/models/resnet20-cifar10-relu.onnx', plan.model.name)
  const bound = bindPlan(plan, model)
  const n = Number(process.env.N ?? 512)
  let same = 0, right = 0, exactRight = 0, blown = 0
  for (let i = 0; i < n; i++) {
    const x = createTensor([...set.shape], imageTensor(set, i, CIFAR_NORMALIZATION).data)
    const exact = model.forward(x).data, poly = approximateForward(bound.model, x).data
    if (top(poly) === top(exact)) same++
    if (top(poly) === set.labels[i]) right++
    if (top(exact) === set.labels[i]) exactRight++
    if (poly.some((v) => !(Math.abs(v) < 100))) blown++
  }
  console.log(file, 'images', n, 'same', same, (same / n * 100).toFixed(2), 'right', right, 'exact right', exactRight, 'blown', blown)
}
