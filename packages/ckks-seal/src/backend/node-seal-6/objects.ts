/** Objects of node-seal 6, and how the opaque ones of a backend are read as such. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealCiphertext, SealGaloisKeys, SealPlaintext, SealRelinearizationKey, SealSecret } from '../backend.ts'

type Plain = ReturnType<SEALLibrary['PlainText']>
export type Cipher = ReturnType<SEALLibrary['CipherText']>
type Relin = ReturnType<SEALLibrary['RelinKeys']>
type Galois = ReturnType<SEALLibrary['GaloisKeys']>
type Secret = ReturnType<SEALLibrary['SecretKey']>
export type ParmsId = ReturnType<SEALLibrary['Context']>['firstParmsId']

export const plain = (x: SealPlaintext): Plain => x as object as Plain
export const cipher = (x: SealCiphertext): Cipher => x as object as Cipher
export const relin = (x: SealRelinearizationKey): Relin => x as object as Relin
export const galois = (x: SealGaloisKeys): Galois => x as object as Galois
export const secretOf = (x: SealSecret): Secret => x as object as Secret
export const wrap = <T>(x: object): T => x as T
