/** Digits, and recordings of digits, as @he-ml/snn-training reads them. */
export { type DigitImages, type Digits, digitData, digitImages, mnistDigits } from './mnist.ts'
export { type NmnistOptions, nmnistRecordings } from './nmnist.ts'
export { subset } from './subset.ts'
