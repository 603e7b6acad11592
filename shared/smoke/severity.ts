import type { Check } from './checks.js';

type Failure = NonNullable<Check['failure']>;

/** Failures by which somebody gets at what is another's. */
const breaches: readonly string[] = ['smoke-tenant-open', 'smoke-not-denied', 'smoke-api-open', 'smoke-registry-open'];
/** Failures of what works today. */
const warnings: readonly string[] = ['smoke-tls-days', 'smoke-push-slow'];

/** Checks that failed alike: one code, and one thing to do. */
export interface FailureGroup {
  code: string;
  next: string;
  /** In the order in which they were made; at least one. */
  checks: readonly (Check & { failure: Failure })[];
}

/** What failed, the worst first: breaches of isolation, what does not work, what will not for long. */
export function failureGroups(checks: readonly Check[]): FailureGroup[] {
  const failed = checks.filter((check): check is Check & { failure: Failure } => check.failure !== undefined);
  const alike = Map.groupBy(worstFirst(failed), ({ failure: { code, next } }) => JSON.stringify([code, next]));
  return [...alike.values()].flatMap((group) =>
    group[0] === undefined ? [] : [{ code: group[0].failure.code, next: group[0].failure.next, checks: group }],
  );
}

/** The checks with the worst failures first, and otherwise in the order in which they were made. */
export function worstFirst<Made extends Check>(checks: readonly Made[]): Made[] {
  return [...checks].sort((one, other) => weight(one.failure) - weight(other.failure));
}

/** Why checks were not made, each reason with their number, the most frequent first. */
export function skipReasons(checks: readonly Check[]): { reason: string; count: number }[] {
  const skipped = checks.filter(({ status }) => status === 'skipped');
  return [...Map.groupBy(skipped, ({ detail }) => detail)]
    .map(([reason, group]) => ({ reason, count: group.length }))
    .sort((one, other) => other.count - one.count);
}

/** Whether somebody gets at what is another's. */
export function isBreach(code: string): boolean {
  return breaches.includes(code);
}

function weight(failure: Failure | undefined): number {
  if (failure === undefined) return 3;
  if (isBreach(failure.code)) return 0;
  return warnings.includes(failure.code) ? 2 : 1;
}
