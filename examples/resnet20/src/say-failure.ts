/** Says what went wrong, and sets the exit code: 2 for a wrong command line, 130 after a signal, 1 for everything else. */
export function sayFailure(error: unknown): void {
  const { code, message, stack } = error as Error & { code?: unknown }
  const isCommander = typeof code === 'string' && code.startsWith('commander.')
  // commander has said it; other errors with a code say all that there is to say
  if (!isCommander) console.error(typeof code === 'string' ? message : stack)
  if (code === 'Cancelled') process.exitCode = 130
  else if (code !== 'commander.helpDisplayed') process.exitCode = isCommander || code === 'InvalidArgument' ? 2 : 1
}
