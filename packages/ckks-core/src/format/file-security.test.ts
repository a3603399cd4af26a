import { describe, expect, it } from 'vitest'
import { FormatError, SecurityError } from '../errors/errors.ts'
import { insecureParameters } from '../parameters/create-parameters.ts'
import { recommendedParameters } from '../parameters/recommended.ts'
import { encodeContainer, parseContainer } from './container.ts'
import type { FileKind, HeaderInput } from './header.ts'
import { secretKeyBytes } from './segment-shape.ts'
import { forgeFields } from './testing/forge.ts'
import { sampleFile, sampleParameters, samples } from './testing/samples.ts'

const kinds = Object.keys(samples) as FileKind[]
/** The very same literal without the entry for files: same id, same lengths. */
const plain = insecureParameters(sampleParameters.toJSON())

describe.each(kinds)('a file of kind %s under insecure parameters', (kind) => {
  const { header, segments } = samples[kind]
  it('is not written', () => {
    expect(plain.id).toBe(sampleParameters.id)
    expect(() => encodeContainer(header, segments, plain)).toThrow(SecurityError)
    expect(() => encodeContainer(header, segments, plain)).toThrow(/insecureParametersWithFiles/)
  })

  it('is read by nobody who did not ask for it', () => {
    const file = sampleFile(kind)
    expect(() => parseContainer(file, { parameters: plain })).toThrow(SecurityError)
    expect(() => parseContainer(file)).toThrow(/insecure parameters .*for a test/)
    expect(() => parseContainer(file, { kind })).toThrow(SecurityError)
    expect(parseContainer(file, { parameters: sampleParameters }).header.insecure).toBe(true)
  })
})

describe('the mark of insecure parameters', () => {
  const parameters = recommendedParameters('N12-L1')
  const header: HeaderInput = { kind: 'secretKey', parameters: parameters.id, logN: 12 }
  const segment = new Uint8Array(secretKeyBytes(12))

  const forge = (change: object): Uint8Array => forgeFields({ ...header, ...change }, [segment])

  it('is not on files of secure ones, and not accepted there', () => {
    expect(parseContainer(encodeContainer(header, [segment], parameters)).header.insecure).toBeUndefined()
    expect(() => parseContainer(forge({ insecure: true }), { parameters })).toThrow(SecurityError)
    expect(() => parseContainer(forge({ insecure: false }))).toThrow(FormatError)
    // a writer that smuggles it in
    const smuggled = { ...header, insecure: true } as HeaderInput
    expect(() => encodeContainer(smuggled, [segment], parameters)).toThrow(SecurityError)
  })

  it('must be on the others', () => {
    const file = forgeFields(samples.keySet.header, [])
    expect(() => parseContainer(file, { parameters: sampleParameters })).toThrow(/expected the mark/)
  })
})
