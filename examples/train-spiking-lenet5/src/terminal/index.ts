/** Progress on a terminal, or in plain lines where there is none. */
export { type CountBar, type CountBarOptions, countBar } from './count-bar.ts'
export { type Output, percent, time } from './text.ts'
export { type TrainingBar, type TrainingBarOptions, trainingBar } from './training-bar.ts'
