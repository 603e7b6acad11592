/** Renewal windows of cert-manager 1.21 (pkg/util/pki/renewaltime.go applyRenewBeforeWithWindows). */
import { type CronSchedule, cronSchedule } from './cron.js';
import { durationNanoseconds } from './go-text.js';
import type { RenewalWindow } from './model.js';

/** When a certificate is due. `windowError` is set where no renewal window can be met; cert-manager then renews regardless. */
export interface RenewalTime {
  readonly at: Date;
  readonly windowError: string | undefined;
  /** What cert-manager's controller dies of: it has an error and no time, and asks the time all the same (checks.go). */
  readonly crash?: string;
}

/**
 * Moves a renewal into the windows: it stays where it is if a window is open then, else it waits for the first window that
 * opens. Where none opens before the certificate ends, it stays, with an error that cert-manager reports as an event.
 */
export function applyWindows(
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  desired: Date,
  windows: readonly RenewalWindow[],
): RenewalTime {
  if (windows.length === 0) return { at: desired, windowError: undefined };
  let open = false;
  let nextStart: number | undefined;
  for (const window of windows) {
    const parsed = parseWindow(window);
    if (typeof parsed === 'string') return { at: desired, windowError: undefined, crash: parsed };
    const searchMin = validity.notBefore.getTime() - parsed.length;
    const searchMax = validity.notAfter.getTime() + parsed.length;
    const last = lastStart(parsed.schedule, searchMin, Math.min(desired.getTime(), searchMax));
    open ||= last !== undefined && last + parsed.length >= desired.getTime();
    const start = parsed.schedule.next(Math.max(desired.getTime(), searchMin) - 1000);
    // A window that opens too late makes cert-manager forget the better one that it had found, so the order of windows counts.
    if (start !== undefined) nextStart = start > searchMax ? undefined : Math.min(nextStart ?? start, start);
  }
  if (open) return { at: desired, windowError: undefined };
  if (nextStart !== undefined) return { at: new Date(Math.max(nextStart, desired.getTime())), windowError: undefined };
  return { at: desired, windowError: 'cannot find a time with the given windows' };
}

interface ParsedWindow {
  readonly schedule: CronSchedule;
  /** Milliseconds. */
  readonly length: number;
}

function parseWindow(window: RenewalWindow): ParsedWindow | string {
  const schedule = cronSchedule(window.cron, window.timezone || 'UTC');
  if (!schedule.ok) return `error parsing cron in window ${schedule.error}`;
  const length = window.windowDuration === undefined ? undefined : durationNanoseconds(window.windowDuration);
  if (length === undefined || length <= 0n) return 'windowDuration must be a positive duration in window';
  return { schedule: schedule.value, length: Number(length) / 1e6 };
}

/** The last start in [min, max], found by halving: a schedule can only be asked forwards. */
function lastStart(schedule: CronSchedule, min: number, max: number): number | undefined {
  const startsBy = (from: number) => (schedule.next(from) ?? Number.POSITIVE_INFINITY) <= max;
  if (min >= max || !startsBy(min - 1000)) return undefined;
  let low = min;
  let high = max;
  while (high - low > 1000) {
    const middle = low + (high - low) / 2;
    if (startsBy(middle)) low = middle;
    else high = middle;
  }
  const last = schedule.next(low - 1000);
  return last !== undefined && last <= max ? last : undefined;
}
