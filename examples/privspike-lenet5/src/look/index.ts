/** A run looked at from inside: spikes and membranes, encrypted beside clear. */
export { type Drift, type LayerLook, type Scatter, scatterOf } from './examine.ts'
export { lookInside } from './look-inside.ts'
