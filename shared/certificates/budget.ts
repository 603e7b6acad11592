/** Let's Encrypt's limit on certificates for one exact set of identifiers: 5 in 7 days, for all accounts together. */
import { identifierSet } from './sans.js';

/** One issued certificate. */
export interface Issuance {
  /** Its names, in any order and case. */
  readonly identifiers: readonly string[];
  readonly serial: string;
  /** When the CA issued it. */
  readonly at: Date;
}

/** What is left for one set of identifiers. */
export interface Budget {
  /** Certificates of the last 7 days. */
  readonly used: number;
  /** Certificates that can be issued now. */
  readonly left: number;
  /** When `left` grows by one; undefined while it is full. */
  readonly nextRefill: Date | undefined;
}

/** How many at once. */
export const burst = 5;
const window = 7 * 24 * 3_600_000;
const interval = window / burst;

/**
 * The budget of a set of identifiers, by the CA's own algorithm (GCRA: each issuance moves a theoretical arrival time by 33.6
 * hours, and it may be at most five such steps ahead). Serials are counted once, so ledgers may overlap. A certificate that the
 * ledger does not know is not counted: the result is an upper bound of what is left.
 * Source: letsencrypt.org/docs/rate-limits "New Certificates per Exact Set of Identifiers"; boulder ratelimits/gcra.go.
 */
export function exactSetBudget(identifiers: Iterable<string>, ledger: readonly Issuance[], now: Date): Budget {
  const key = identifierKey(identifiers);
  const bySerial = new Map(
    ledger
      .filter((issuance) => identifierKey(issuance.identifiers) === key)
      .map((issuance) => [serialKey(issuance.serial), issuance.at.getTime()]),
  );
  const times = [...bySerial.values()].sort((first, second) => first - second);
  const arrival = times.reduce((earlier, at) => Math.max(earlier, at) + interval, Number.NEGATIVE_INFINITY);
  const ahead = Math.max(0, arrival - now.getTime());
  const left = Math.max(0, Math.floor((burst * interval - ahead) / interval));
  return {
    used: times.filter((at) => at > now.getTime() - window).length,
    left,
    nextRefill: left === burst ? undefined : new Date(arrival - (burst - 1 - left) * interval),
  };
}

/** A budget of which the CA itself has said that nothing is left until then: it knows of certificates that the ledger does not. */
export function withRefusal(budget: Budget, until: Date | undefined, now: Date): Budget {
  if (until === undefined || until <= now) return budget;
  const later =
    budget.nextRefill !== undefined && budget.left === 0 && budget.nextRefill > until ? budget.nextRefill : until;
  return { used: Math.max(budget.used, burst), left: 0, nextRefill: later };
}

/** The name under which Certificates share a budget. */
export function identifierKey(identifiers: Iterable<string>): string {
  return identifierSet(identifiers).join(',');
}

/** Ledgers write serials as tools print them: with colons, in capitals, padded. */
function serialKey(serial: string): string {
  return serial
    .toLowerCase()
    .replaceAll(':', '')
    .replace(/^0+(?=.)/, '');
}
