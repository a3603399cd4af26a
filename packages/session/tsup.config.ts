import { library } from '../../scripts/tsup-library.ts'

export default library([
  'src/index.ts',
  'src/client/index.ts',
  'src/client/node/index.ts',
  'src/diff/index.ts',
  'src/server/node/index.ts',
])
