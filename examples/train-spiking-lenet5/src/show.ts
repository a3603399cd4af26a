/** What a command tells people while it works; a test listens instead. */
import { type CountBar, countBar, type Output, type TrainingBar, trainingBar } from './terminal/index.ts'

export interface Show {
  /** A line of what is being done or came out. */
  line(text: string): void
  /** Something that went another way than asked. */
  notice(text: string): void
  training(title: string): TrainingBar
  count(title: string): CountBar
}

/** Results to one output, notices to another. */
export function showOn(output: Output, notices: Output): Show {
  return {
    line: (text) => output.write(`${text}\n`),
    notice: (text) => notices.write(`note: ${text}\n`),
    training: (title) => trainingBar({ title, output }),
    count: (title) => countBar({ title, output }),
  }
}
