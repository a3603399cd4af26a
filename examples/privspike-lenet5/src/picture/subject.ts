/** Whose run it was. */
export interface Subject {
  /** Of the model. */
  readonly name: string
  /** The input's, 0 to 9. */
  readonly label: number
  /** As planned, in standard deviations; absent for soft spikes. */
  readonly decisionMargin?: number
}
