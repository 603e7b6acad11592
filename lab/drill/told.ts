import * as core from '@actions/core';
import { code, escaped, Markdown } from '../../shared/action/markdown.js';
import { McprtError } from '../../shared/errors.js';
import { type DrillOptions, drill } from './drill.js';
import { drillSummary, drillText } from './report.js';
import { resultSchema } from './result.js';

/** What a drill says on its way: standard output is the result's. */
export const progress = (line: string): void => void process.stderr.write(`${line}\n`);

/** A text in the words of whoever called the drill. */
export type Say = (text: string) => string;

const asItIs: Say = (text) => text;

const print = (text: string): void => void process.stdout.write(text);

/** Follows signals for as long as the process lives: a second one must not end it while the lab is taken down. */
export function cancellation(): AbortSignal {
  const cancelled = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () =>
      cancelled.abort(
        new McprtError('drill-cancelled', {
          what: 'the drill was cancelled',
          why: `it was sent ${name}`,
          next: 'run it again: nothing of it is left, and nothing but the lab was touched',
        }),
      ),
    );
  }
  return cancelled.signal;
}

/** Drills, and tells what came of it: outputs and summary in a job, standard output, the exit code. */
export async function drillAndTell(options: DrillOptions, json: boolean, say: Say = asItIs): Promise<void> {
  const result = await drill(options);
  const error = result.findings[0];
  if (options.env.GITHUB_OUTPUT) {
    for (const [name, value] of Object.entries({ result, orders: result.orders, seconds: result.seconds.total })) {
      core.setOutput(name, value);
    }
  }
  await drillSummary(result, new Date()).write();
  if (error !== undefined) annotate(error.code, `${error.what}\n${error.why}\nnext: ${error.next}`);
  print(json ? `${JSON.stringify(result)}\n` : say(drillText(result)));
  if (!result.ok) process.exitCode = 1;
}

/** Does something, and tells an error of ours as a drill tells what it found. */
export async function telling(json: boolean, work: () => Promise<void>, say: Say = asItIs): Promise<void> {
  try {
    await work();
  } catch (error) {
    const told = asOurs(error);
    await fail(told, json, say);
    // A lab that is coming up would keep the process.
    if (told.code === 'drill-cancelled') process.exit();
  }
}

/** What the machine refuses, such as a disk that is full, is no fault of this program. @throws what is one */
function asOurs(error: unknown): McprtError {
  if (error instanceof McprtError) return error;
  if (!(error instanceof Error && 'errno' in error)) throw error;
  return new McprtError('drill-machine', {
    what: 'this machine does not let the drill work',
    why: error.message,
    next: 'give it room and rights where the message says, or another folder: RUNNER_TEMP, TMPDIR, MCPRT_LAB_CACHE',
    cause: error,
  });
}

async function fail(error: McprtError, json: boolean, say: Say): Promise<void> {
  const { code: name, message: what, why, next } = error;
  progress(say(`${name}: ${what}\n  why: ${why}\n  next: ${next}`));
  annotate(name, `${what}\nwhy: ${why}\nnext: ${next}`);
  await new Markdown()
    .heading('Restore drill')
    .line(`❌ **${code(name)}** ${escaped(what)}`)
    .line('**Why**')
    .list(why.split('\n'))
    .line('**Next**')
    .list(next.split('\n'))
    .write();
  if (json) {
    print(`${JSON.stringify({ schema: resultSchema, ok: false, findings: [{ code: name, what, why, next }] })}\n`);
  }
  process.exitCode = 1;
}

/** On standard error, where the runner looks too: standard output is the result's. */
function annotate(name: string, text: string): void {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  const encoded = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  process.stderr.write(`::error title=drill%3A ${name}::${encoded}\n`);
}
