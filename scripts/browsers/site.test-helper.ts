/** The server that the README of session speaks of: the plan, keys taken, encrypted inputs run on SEAL. */

import { sealParameters } from '../../packages/ckks-seal/src/index.ts'
import { createSealHost } from '../../packages/ckks-seal/src/node/index.ts'
import { createTensor } from '../../packages/model/src/index.ts'
import { fit as calibrate, compileAndBind } from '../../packages/pipeline/src/index.ts'
import { type InferenceServer, openServer } from '../../packages/session/src/index.ts'
import { image, model } from '../../packages/session/src/session.test-helper.ts'
import type { Serve } from './chromium.ts'

/** What a page talks to. */
export interface Site extends AsyncDisposable {
  readonly serve: Serve
  /** Inputs that were run. */
  readonly runs: number
  /** The clear network's answer to the input of the README. */
  readonly clearAnswer: Float64Array
  /** What the decrypted one may be off by. */
  readonly within: number
}

export async function createSite(): Promise<Site> {
  const seen = Array.from({ length: 20 }, (_, seed) => image(seed))
  const calibration = await calibrate(model(), seen)
  const options = { packing: 'multiplexed', scaleBits: 36, bootstrapping: 'never', request: sealParameters } as const
  const bound = await compileAndBind(model(), { ...options, calibration })
  const input = createTensor(
    [1, 4, 4],
    Float64Array.from({ length: 16 }, (_, i) => Math.sin(i)),
  )
  const files: Uint8Array[] = []
  let server: InferenceServer | undefined
  let runs = 0
  return {
    async serve(path, body) {
      if (path === '/plan.json') return JSON.stringify(bound.plan)
      if (path === '/keys') {
        files.push(body)
        return ''
      }
      if (path !== '/run') return undefined
      server ??= await openServer(bound, createSealHost, { kind: 'memory', files })
      runs++
      return server.run(body)
    },
    get runs() {
      return runs
    },
    clearAnswer: model().forward(input).data,
    // SEAL's errors depend on the key: some 2^4 to 2^6 times the plan's were seen
    within: 2 ** (11 - bound.plan.report.precisionBits),
    async [Symbol.asyncDispose]() {
      await server?.dispose()
    },
  }
}
