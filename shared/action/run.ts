import * as core from '@actions/core';
import { McprtError, messageOf } from '../errors.js';
import { code, Markdown } from './markdown.js';

const docs = 'docs/troubleshooting.md';

/**
 * Runs an action's operation: turns a signal into a cancellation, an error into one annotation that says what to do,
 * and makes sure that the process ends. The runner gives 7.5 s after SIGINT.
 */
export async function runAction(title: string, operation: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const cancelled = new AbortController();
  const cancel = (): void =>
    cancelled.abort(
      new McprtError('job-cancelled', {
        what: 'the job was cancelled',
        why: 'the runner sent a signal; the write that was under way was finished, no other was begun',
        next: 'run it again: it goes on from what is there',
      }),
    );
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  try {
    await operation(cancelled.signal);
  } catch (error) {
    await reportError(title, error);
    process.exitCode = 1;
  } finally {
    process.removeListener('SIGINT', cancel).removeListener('SIGTERM', cancel);
  }
}

async function reportError(title: string, error: unknown): Promise<void> {
  if (!(error instanceof McprtError)) {
    core.error(`${messageOf(error)} (unexpected; please report it with the debug log)`, { title });
    core.debug(error instanceof Error ? (error.stack ?? '') : '');
    await new Markdown()
      .heading(title)
      .line(`❌ ${code(messageOf(error))}`)
      .write();
    return;
  }
  core.error(`${error.message}\nwhy: ${error.why}\nnext: ${error.next}\nmore: ${docs}#${error.code}`, {
    title: `${title}: ${error.code}`,
  });
  if (error.cause !== undefined) core.debug(`cause: ${messageOf(error.cause)}`);
  await new Markdown()
    .heading(title)
    .line(`❌ **${code(error.code)}** ${error.message}`)
    .line('**Why**')
    .list(error.why.split('\n'))
    .line('**Next**')
    .list(error.next.split('\n'))
    .write();
}

/** A signal that follows another one, and that fires by itself when an operation takes longer than it may (in ms). */
export function withDeadline(signal: AbortSignal, timeout: number): AbortSignal {
  const late = new AbortController();
  const timer = setTimeout(
    () =>
      late.abort(
        new McprtError('job-timeout', {
          what: `the operation took longer than ${Math.round(timeout / 1000)} s`,
          why: 'its input `timeout` ended it between two writes; what was written stays',
          next: 'run it again: it goes on from what is there; raise `timeout` if the cluster is slow',
        }),
      ),
    timeout,
  );
  timer.unref();
  return AbortSignal.any([signal, late.signal]);
}
