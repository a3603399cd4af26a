import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { missingText, missingTools } from './toolchain.mjs'

const only =
  (...names: string[]) =>
  (command: string) =>
    names.includes(command)

it('what is missing is told by name', () => {
  expect(missingTools(only(), {})).toEqual(['cmake', 'ctest', 'make', 'a C++ compiler'])
  expect(missingTools(only('cmake', 'ctest', 'make', 'clang++'), {})).toEqual([])
  expect(missingTools(only('cmake', 'ctest', 'g++'), { CMAKE_GENERATOR: 'Ninja' })).toEqual([])
  expect(missingTools(only('cmake', 'ctest', 'make', 'g++'), { CXX: 'icpx' })).toEqual(['the C++ compiler icpx'])
  expect(missingText(['cmake', 'ctest'])).toMatch(/lacks cmake, ctest\.\nInstall CMake 3\.20 .*cmake g\+\+ make/)
})

it('npm test ends with it at once where there is no compiler, before anything is installed', () => {
  const path = mkdtempSync(join(tmpdir(), 'he-ml-no-tools-'))
  try {
    const setup = join(dirname(fileURLToPath(import.meta.url)), 'setup.mjs')
    const { CXX: _, ...environment } = process.env
    const result = spawnSync(process.execPath, [setup, '--tests'], {
      env: { ...environment, PATH: path },
      encoding: 'utf8',
    })
    expect(result.status).toBe(1)
    expect(result.stdout).toBe('')
    expect(result.stderr).toBe(`${missingText(missingTools(() => false, environment))}\n`)
  } finally {
    rmSync(path, { recursive: true })
  }
})
