/** An encrypted ResNet-34 on many photographs at once: yours in ONNX, or one composed here. */
import { main } from '@he-ml/example-resnet20/main'
import { composeResNet, RESNET34 } from './compose.ts'

const about =
  'an encrypted ResNet-34 for 100 classes on photographs of CIFAR-10; without --model, one with random weights'
await main(process.argv.slice(2), { about, degree: 119 }, () => composeResNet(RESNET34))
