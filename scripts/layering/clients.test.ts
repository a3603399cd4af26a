import { describe, expect, it } from 'vitest'
import { clientProblems } from './clients.mjs'

const file = (path: string, ...imports: readonly string[]) => ({ path, isTest: path.includes('.test'), imports })

describe('clientProblems', () => {
  it('finds client modules of other packages and of one’s own', () => {
    const sources = [
      file('src/a.ts', '@he-ml/ckks-core/client', '@he-ml/ckks-core/client/node', '@he-ml/ckks-core'),
      file('src/server/b.ts', '../client/secret.ts', '../client/deep/secret.ts', './client.ts'),
    ]
    expect(clientProblems('packages/x', sources)).toEqual([
      'packages/x/src/a.ts imports @he-ml/ckks-core/client: secret keys are for clients only',
      'packages/x/src/a.ts imports @he-ml/ckks-core/client/node: secret keys are for clients only',
      'packages/x/src/server/b.ts imports ../client/secret.ts: secret keys are for clients only',
      'packages/x/src/server/b.ts imports ../client/deep/secret.ts: secret keys are for clients only',
    ])
  })

  it('lets clients and tests have theirs', () => {
    const sources = [
      file('src/client/a.ts', '@he-ml/ckks-core/client', './secret.ts'),
      file('src/client/node/b.ts', '../secret.ts'),
      file('src/c.test.ts', './client/secret.ts'),
      file('src/d.ts', '@he-ml/client-side', './clients.ts'),
    ]
    expect(clientProblems('packages/x', sources)).toEqual([])
  })
})
