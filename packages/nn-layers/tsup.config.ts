import { library } from '../../scripts/tsup-library.ts'

export default library(['src/index.ts', 'src/checking/index.ts'])
