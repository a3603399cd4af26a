export type { GaloisElement, Level, Scale, Slots } from '../parameters/quantities.ts'
