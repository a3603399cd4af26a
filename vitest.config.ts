import { defineConfig } from 'vitest/config'

const conditions = ['@he-ml/source', 'node', 'import', 'module', 'default']

/** Unit tests run from source; heavy suites (real keys at N >= 2^14) share one worker so that memory stays bounded. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{packages,examples}/*/{src,test}/**/*.test.ts',
            'benchmarks/src/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: ['**/*.heavy.test.ts', '**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: ['{packages,examples}/*/{src,test}/**/*.heavy.test.ts'],
          exclude: ['**/node_modules/**'],
          pool: 'forks',
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
