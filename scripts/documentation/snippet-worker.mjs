// Runs programs one after another, as the parent names their files, and answers each with what it wrote and how it failed, if it did.
import { inspect } from 'node:util'

let written = ''
for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream)
  stream.write = (chunk, ...rest) => {
    written += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    // also to the parent, who has nothing else of a program that ends its process
    return write(chunk, ...rest)
  }
}

process.on('message', async (file) => {
  let failure
  written = ''
  try {
    await import(file)
    // promises that nobody waits for fail in a turn of their own, which ends the process
    await new Promise((resolve) => setImmediate(resolve))
    if (process.exitCode) failure = `it sets the exit code ${process.exitCode}`
  } catch (error) {
    failure = inspect(error)
  }
  process.exitCode = 0
  process.send({ failure: failure && `${written}${failure}` })
})
