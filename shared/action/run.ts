import { McprtError, messageOf } from '../errors.js';
import { docsLink } from './docs-link.js';
import { endAnnotations, log } from './log.js';
import { code, Markdown, withCode } from './markdown.js';

/** Ends an operation that has failed, and has told of it. */
export class Told extends Error {}

/**
 * Runs an action's operation: turns a signal into a cancellation, an error into one annotation that says what to do,
 * and makes sure that the process ends. The runner gives 7.5 s after SIGINT.
 */
export async function runAction(title: string, operation: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const cancelled = new AbortController();
  const cancel = (): void =>
    cancelled.abort(
      new McprtError('job-cancelled', {
        what: 'the run was cancelled',
        why: 'it was sent a signal; the write that was under way was finished, no other was begun',
        next: 'run it again: it continues from what is there',
      }),
    );
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  const stuck = neverSettled();
  try {
    await Promise.race([operation(cancelled.signal), stuck.seen]);
  } catch (error) {
    if (!(error instanceof Told)) await reportError(title, error);
    process.exitCode = 1;
  } finally {
    process.removeListener('SIGINT', cancel).removeListener('SIGTERM', cancel);
    stuck.end();
    endAnnotations();
  }
}

/**
 * Node ends a process in which nothing can happen any more, whatever is still waited for, with exit code 13 and no word.
 * That must never be how an action ends.
 */
function neverSettled(): { seen: Promise<never>; end: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const tell = (): void =>
    reject(
      new McprtError('job-stuck', {
        what: 'the operation waited for something that can never come',
        why: 'neither a connection nor a timer was left that could have brought it; what was written stays',
        next: 'run it again: it continues from what is there; please report it with the debug log',
      }),
    );
  process.once('beforeExit', tell);
  return { seen: promise, end: () => void process.removeListener('beforeExit', tell) };
}

/** An error as an annotation of the step. */
export function annotateError(title: string, error: unknown): void {
  if (!(error instanceof McprtError)) {
    log.failure(`${messageOf(error)} (unexpected; please report it with the debug log)`, { title });
    log.debug(error instanceof Error ? (error.stack ?? '') : '');
    return;
  }
  const more = docsLink(error.code, process.env);
  log.failure(`${error.message}\nwhy: ${error.why}\nnext: ${error.next}\nmore: ${more}`, {
    title: `${title}: ${error.code}`,
  });
  if (error.cause !== undefined) log.debug(`cause: ${messageOf(error.cause)}`);
}

/** An error in log and summary. */
export async function reportError(title: string, error: unknown): Promise<void> {
  annotateError(title, error);
  const markdown = new Markdown().heading(title);
  errorPart(markdown, error);
  await markdown.write();
}

/** What a summary says of the error that ended an operation: its cause, and its own way out. */
export function errorPart(markdown: Markdown, error: unknown): void {
  if (!(error instanceof McprtError)) {
    markdown.line(`❌ ${code(messageOf(error))}`);
    return;
  }
  markdown
    .line(`❌ **${code(error.code)}** ${withCode(error.message)}`)
    .line('**Why**')
    .list(error.why.split('\n'))
    .line('**Next**')
    .list(error.next.split('\n'));
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
          next: 'run it again: it continues from what is there; raise `timeout` if the cluster is slow',
        }),
      ),
    timeout,
  );
  timer.unref();
  return AbortSignal.any([signal, late.signal]);
}
