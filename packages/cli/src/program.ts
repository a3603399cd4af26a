import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addBenchCommand } from './commands/bench.ts'
import { addDecryptCommand } from './commands/decrypt.ts'
import { addDiffCommand } from './commands/diff.ts'
import { addEncryptCommand } from './commands/encrypt.ts'
import { addImportCommand } from './commands/import.ts'
import { addInspectCommand } from './commands/inspect.ts'
import { addKeygenCommand } from './commands/keygen.ts'
import { addLedgerCommand } from './commands/ledger.ts'
import { addPlanCommand } from './commands/plan.ts'
import { addRunCommand } from './commands/run.ts'
import { addSendCommand } from './commands/send.ts'
import { addServeCommand } from './commands/serve.ts'
import { addSimulateCommand } from './commands/simulate.ts'
import { helpText } from './terminal/help-text.ts'

/** The whole command line. Errors are thrown, not printed; see main.ts. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const program = new Command('he-ml')
    .description(
      'Encrypted inference: plan, keygen and encrypt on the client, run on a server without secret keys, decrypt.',
    )
    .version(version)
    .showSuggestionAfterError()
    .exitOverride()
  addImportCommand(program)
  addPlanCommand(program)
  addSimulateCommand(program)
  addKeygenCommand(program)
  addEncryptCommand(program)
  addRunCommand(program)
  addServeCommand(program)
  addSendCommand(program)
  addDecryptCommand(program)
  addDiffCommand(program)
  addLedgerCommand(program)
  addInspectCommand(program)
  addBenchCommand(program)
  program.addHelpText('after', helpText())
  for (const command of program.commands) command.exitOverride().addHelpText('after', helpText(command.name()))
  return program
}
