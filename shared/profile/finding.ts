/** `error` stops every operation, `warning` deserves a look before the next run, `notice` is good to know. */
export type Severity = 'error' | 'warning' | 'notice';

/**
 * Something about a profile that its owner should know. `code` is an anchor in docs/troubleshooting.md, `line` and
 * `column` count from 1. Neither `message` nor `remedy` ever holds the value of a secret.
 */
export interface Finding {
  readonly code: `profile-${string}`;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  readonly variable?: string;
  readonly line?: number;
  readonly column?: number;
}
