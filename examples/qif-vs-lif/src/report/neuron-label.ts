/** A neuron's name as it stands in tables and pictures: LIF, QIF, LIF reset to zero. */
export const neuronLabel = (name: string): string => name.replace(/^[a-z]+/, (kind) => kind.toUpperCase())
