/** The function that bootstraps are measured with. */
import type { ComplexSlots } from './accuracy.ts'

/** max(0, x) */
export const relu = (x: number): number => Math.max(0, x)

/** Of real and imaginary parts on their own. */
export const reluOf = ({ re, im }: ComplexSlots): ComplexSlots => ({ re: re.map(relu), im: im.map(relu) })
