/**
 * Every form in which the library holds a secret key, and those that are near: the file's 2 bits per coefficient; coefficients as
 * numbers of the machine; residues modulo each prime, as they are and transformed, in words and packed to 48 bits. The transform is
 * written anew from its definition: values at the odd powers of the least primitive 2N-th root, in evaluation order.
 */
import { type AnyParameters, parseContainer } from '@he-ml/ckks-core'

/** All coefficients, one after another. */
export interface SecretForm {
  readonly name: string
  readonly bytes: Uint8Array
  /** Of one coefficient. */
  readonly bits: number
}

/** Of the key in a file. */
export function secretForms(file: Uint8Array, parameters: AnyParameters): SecretForm[] {
  const [packed] = parseContainer(file, { kind: 'secretKey', parameters }).segments
  const { ringDegree, logN } = parameters
  const ternary = Array.from({ length: ringDegree }, (_, i) => {
    const pair = (packed![i >> 2]! >> (2 * (i & 3))) & 3
    return (pair & 1) - (pair >> 1)
  })
  const numbers = [Int8Array, Int16Array, Int32Array, Float32Array, Float64Array].map((type): SecretForm => {
    const values = type.from(ternary)
    return { name: type.name, bytes: new Uint8Array(values.buffer), bits: 8 * type.BYTES_PER_ELEMENT }
  })
  const signed = new Uint8Array(BigInt64Array.from(ternary, BigInt).buffer)
  return [
    { name: 'file', bytes: packed!, bits: 2 },
    ...numbers,
    { name: 'BigInt64Array', bytes: signed, bits: 64 },
    ...[...parameters.q.flat(), ...parameters.p].flatMap((prime) => residues(ternary, BigInt(prime), logN)),
  ]
}

/** What words of the library's own secret keys are called here. */
export const transformedName = (prime: bigint | number): string => `transformed modulo ${prime}`

function residues(ternary: readonly number[], prime: bigint, logN: number): SecretForm[] {
  const plain = ternary.map((v) => (v < 0 ? prime - 1n : BigInt(v)))
  return [...inWords(`modulo ${prime}`, plain), ...inWords(transformedName(prime), transformed(plain, prime, logN))]
}

function inWords(name: string, values: readonly bigint[]): SecretForm[] {
  const words = new Uint8Array(BigUint64Array.from(values).buffer)
  const packed = words.filter((_, i) => i % 8 < 6)
  return [
    { name, bytes: words, bits: 64 },
    { name: `${name}, 48 bits`, bytes: packed, bits: 48 },
  ]
}

function transformed(values: readonly bigint[], prime: bigint, logN: number): bigint[] {
  const root = leastRoot(prime, logN)
  let power = 1n
  const twisted = values.map((v) => {
    const w = (v * power) % prime
    power = (power * root) % prime
    return w
  })
  const atOddPowers = cyclic(twisted, (root * root) % prime, prime)
  return values.map((_, i) => atOddPowers[(exponentAt(i, logN) - 1) / 2]!)
}

/** Index i = (sign bit, k bit-reversed) holds the value at the root to 5^k or -5^k, modulo 2N. */
function exponentAt(i: number, logN: number): number {
  const half = 2 ** (logN - 1)
  let exponent = 1
  // 5^(2^b) for the bits of k, which stand reversed
  let power = 5
  for (let bit = logN - 2; bit >= 0; bit--, power = (power * power) % (4 * half))
    if ((i >> bit) & 1) exponent = (exponent * power) % (4 * half)
  return i & half ? 4 * half - exponent : exponent
}

/** Values of a polynomial at 1, root, root^2 and so on. */
function cyclic(values: readonly bigint[], root: bigint, prime: bigint): bigint[] {
  if (values.length === 1) return [...values]
  const square = (root * root) % prime
  const [even, odd] = [0, 1].map((parity) =>
    cyclic(
      values.filter((_, i) => i % 2 === parity),
      square,
      prime,
    ),
  )
  const size = values.length / 2
  const result = new Array<bigint>(values.length)
  let power = 1n
  for (let j = 0; j < size; j++, power = (power * root) % prime) {
    const product = (power * odd![j]!) % prime
    result[j] = (even![j]! + product) % prime
    result[j + size] = (even![j]! + prime - product) % prime
  }
  return result
}

function leastRoot(prime: bigint, logN: number): bigint {
  const order = 2n ** BigInt(logN + 1)
  let root = 0n
  for (let candidate = 2n; root === 0n; candidate++) {
    const power = powMod(candidate, (prime - 1n) / order, prime)
    if (powMod(power, order / 2n, prime) === prime - 1n) root = power
  }
  const square = (root * root) % prime
  let least = root
  for (let j = 1n; j < order / 2n; j++) {
    root = (root * square) % prime
    if (root < least) least = root
  }
  return least
}

function powMod(base: bigint, exponent: bigint, prime: bigint): bigint {
  let result = 1n
  for (let e = exponent, b = base; e > 0n; e >>= 1n, b = (b * b) % prime) if (e & 1n) result = (result * b) % prime
  return result
}
