import { defineConfig } from 'tsup'

/** One build recipe for every published package: ESM, declarations, source maps. */
export const library = (entry: string[]) =>
  defineConfig({
    entry,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    external: [/^node:/],
    dts: { compilerOptions: { ignoreDeprecations: '6.0', types: ['node'], customConditions: [] } },
    sourcemap: true,
    clean: true,
    treeshake: true,
  })
