import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A running program that answers questions, a line of JSON each (lab/cluster/lines.go). */
export interface Answerer<Answer> {
  /** Answers in the order of the questions; the fields of both are those of the program. */
  ask(questions: readonly object[]): Promise<Answer[]>;
  stop(): void;
}

/** Starts such a program. @param name what an error calls it */
export function askByLines<Answer>(name: string, command: string, args: readonly string[] = []): Answerer<Answer> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  return {
    async ask(questions) {
      child.stdin.write(questions.map((one) => `${JSON.stringify(one)}\n`).join(''));
      const answers: Answer[] = [];
      while (answers.length < questions.length) {
        const line = await lines.next();
        if (line.done) throw new Error(`${name} ended after ${answers.length} answers`);
        answers.push(JSON.parse(line.value) as Answer);
      }
      return answers;
    },
    stop: () => void child.stdin.end(),
  };
}
