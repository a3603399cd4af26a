import { startBar } from '@he-ml/example-lenet5/progress'

export { startBar }
/** A bar of a title, which somebody updates and stops; tests have silent ones. */
export type StartBar = typeof startBar
