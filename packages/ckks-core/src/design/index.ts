export * from './design-refresh.ts'
export type { RefreshNeed } from './refresh-need.ts'
