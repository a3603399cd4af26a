export * from './design-functional.ts'
export * from './design-refresh.ts'
export type { RefreshNeed } from './refresh-need.ts'
export type { SetShape } from './set-shapes.ts'
