import { McprtError, messageOf } from '../errors.js';
import { unreachable } from '../platform/api.js';
import { WebError } from '../platform/web.js';

/** What one look at the platform came to. */
export interface Check {
  suite: string;
  name: string;
  status: 'passed' | 'failed' | 'skipped';
  /** From its beginning to its end. */
  ms: number;
  /** What was seen, in a few words; of a skipped one why. */
  detail: string;
  failure?: { code: string; what: string; why: string; next: string };
}

/** Thrown when what comes next would make no sense; it has been recorded. */
class Unfulfilled extends Error {}

/** The checks of one suite, which are recorded as they end. */
export interface Checks {
  /** A check without which the rest of its suite makes no sense: ends the suite when it fails. */
  need<T>(name: string, look: (note: (detail: string) => void) => Promise<T>): Promise<T>;
  /** A check whose failure leaves the others as they are. */
  look(name: string, look: (note: (detail: string) => void) => Promise<unknown>): Promise<boolean>;
  skip(name: string, why: string): void;
}

export interface CheckPorts {
  progress: (line: string) => void;
  /** Takes secrets out of what is kept. */
  hide: (text: string) => string;
  signal: AbortSignal;
}

/**
 * Runs a suite. A failed check is recorded, and never thrown; what of `names` was not come to is recorded as skipped.
 *
 * @throws the signal's reason
 */
export async function runSuite(
  record: Check[],
  suite: string,
  names: readonly string[],
  { progress, hide, signal }: CheckPorts,
  body: (checks: Checks) => Promise<void>,
): Promise<void> {
  const add = (check: Omit<Check, 'suite'>): void => {
    record.push({ suite, ...check });
    const mark = { passed: '✓', failed: '✗', skipped: '–' }[check.status];
    const why = check.failure === undefined ? check.detail : `${check.failure.code}: ${check.failure.what}`;
    progress(`${mark} ${suite}: ${check.name}${why === '' ? '' : ` (${why})`}${spanOf(check)}`);
  };
  const attempt = async <T>(name: string, look: (note: (detail: string) => void) => Promise<T>): Promise<T> => {
    const started = performance.now();
    let detail = '';
    try {
      const value = await look((text) => {
        detail = hide(text);
      });
      add({ name, status: 'passed', ms: performance.now() - started, detail });
      return value;
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureOf(error);
      const hidden = { ...failure, what: hide(failure.what), why: hide(failure.why), next: hide(failure.next) };
      add({ name, status: 'failed', ms: performance.now() - started, detail, failure: hidden });
      throw new Unfulfilled(name);
    }
  };
  const checks: Checks = {
    need: attempt,
    look: (name, look) =>
      attempt(name, look).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Unfulfilled)) throw error;
          return false;
        },
      ),
    skip: (name, why) => add({ name, status: 'skipped', ms: 0, detail: why }),
  };
  const failed = await body(checks).then(
    () => '',
    (error: unknown) => {
      if (!(error instanceof Unfulfilled)) throw error;
      return error.message;
    },
  );
  const done = new Set(record.filter((check) => check.suite === suite).map(({ name }) => name));
  for (const name of names)
    if (!done.has(name)) checks.skip(name, failed === '' ? 'not needed' : `after “${failed}” failed`);
}

function failureOf(error: unknown): NonNullable<Check['failure']> {
  const known = error instanceof WebError ? unreachable(error) : error;
  if (known instanceof McprtError) {
    return { code: known.code, what: known.message, why: known.why, next: known.next };
  }
  return {
    code: 'smoke-unexpected',
    what: 'the check itself failed',
    why: messageOf(error),
    next: 'please report it, with the debug log',
  };
}

function spanOf({ ms, status }: Pick<Check, 'ms' | 'status'>): string {
  return status === 'skipped' ? '' : `, ${ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}`;
}
