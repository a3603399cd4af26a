import { describe, expect, it } from 'vitest'
import { installedByPage, installProblems, nameOf } from './install-lines.mjs'

const page = (npm: string, pnpm: string) =>
  `\`\`\`sh\nnpm install ${npm}\npnpm add ${pnpm}\n\`\`\`\n\`\`\`ts\nimport { a } from 'a-b/sub'\nimport { c } from '@c/d'\n\`\`\`\n`

describe('lines that install', () => {
  it('name what programs import, and the package itself', () => {
    const whole = page('@c/d @c/e a-b@6.0.3', '@c/d @c/e a-b@6.0.3')
    expect(installProblems(whole, '@c/e')).toEqual([])
    expect(installedByPage(whole).map(nameOf)).toEqual(['@c/d', '@c/e', 'a-b'])
    expect(installProblems(page('@c/d', '@c/d'), '@c/e')).toEqual([
      'programs import @c/e, the lines that install lack it',
      'programs import a-b, the lines that install lack it',
    ])
  })
  it('are there for npm and for pnpm, and name the same', () => {
    expect(installProblems('```sh\nnpm install a\n```', 'a')).toEqual([
      '"Install" needs a line "npm install ..." and one "pnpm add ..."',
    ])
    expect(installProblems(page('@c/d a-b', 'a-b @c/d'), 'a-b')).toEqual([
      'npm install and pnpm add must name the same packages',
    ])
  })
})
