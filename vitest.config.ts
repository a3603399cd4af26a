import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const conditions = ['@he-ml/source', 'node', 'import', 'module', 'default']

/** Unit tests run from source; heavy suites (real keys at N >= 2^14) share one worker so that memory stays bounded. */
export default defineConfig({
  resolve: {
    conditions,
    alias: { 'fast-check': fileURLToPath(new URL('scripts/seeded-fast-check.ts', import.meta.url)) },
  },
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: 'scripts/bundle-programs.ts',
    ...(process.env.HE_ML_REPEAT
      ? { runner: fileURLToPath(new URL('scripts/repeat-runner.ts', import.meta.url)) }
      : {}),
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
          maxWorkers: '100%', // the default leaves one core idle
          // against hanging only: a machine with other work may take ten times as long as an idle one
          testTimeout: 600_000,
          hookTimeout: 600_000,
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
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
})
