/** Cron schedules with a time zone, as cert-manager's renewal windows use them (internal/cron, from robfig/cron). */
import { attempt, type Decoded, DecodeError } from './der.js';
import { durationNanoseconds } from './go-text.js';

/** A schedule, asked for the next start after a moment. Both in milliseconds since 1970, the answer in whole seconds. */
export interface CronSchedule {
  /** Undefined if there is none within nine years. */
  next(after: number): number | undefined;
}

/** Parses five fields or a descriptor (`@daily`, `@every 1h`) for an IANA time zone. */
export function cronSchedule(text: string, timeZone: string): Decoded<CronSchedule> {
  return attempt(() => {
    const zone = zoneClock(timeZone);
    if (text.startsWith('@every ')) return everySchedule(text.slice('@every '.length));
    const fields = (descriptors.get(text) ?? text).trim().split(/\s+/);
    if (fields.length !== 5)
      throw new DecodeError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
    const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
    return specSchedule(
      {
        minute: parseField(minute, bounds.minute),
        hour: parseField(hour, bounds.hour),
        day: parseField(day, bounds.day),
        month: parseField(month, bounds.month),
        weekday: parseField(weekday, bounds.weekday),
      },
      zone,
    );
  });
}

const descriptors: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const bounds = {
  minute: { min: 0, max: 59, names: [] },
  hour: { min: 0, max: 23, names: [] },
  day: { min: 1, max: 31, names: [] },
  month: { min: 1, max: 12, names: months },
  weekday: { min: 0, max: 6, names: weekdays },
} satisfies Record<string, Bounds>;

/** The values of one field, and whether it said "any": that decides how days of month and of week combine. */
interface Field {
  readonly values: ReadonlySet<number>;
  readonly any: boolean;
}

function parseField(text: string, within: Bounds): Field {
  const ranges = text
    .split(',')
    .filter((range) => range !== '')
    .map((range) => parseRange(range, within));
  return { values: new Set(ranges.flatMap((range) => [...range.values])), any: ranges.some((range) => range.any) };
}

function parseRange(text: string, within: Bounds): Field {
  const [span = '', stepText, ...extraSteps] = text.split('/');
  const [low = '', high, ...extraHighs] = span.split('-');
  if (extraSteps.length > 0) throw new DecodeError(`too many slashes: ${text}`);
  const star = low === '*' || low === '?';
  if (extraHighs.length > 0 && !star) throw new DecodeError(`too many hyphens: ${text}`);
  const step = stepText === undefined ? 1 : wholeNumber(stepText);
  const start = star ? within.min : numberOrName(low, within);
  // A single value with a step runs to the end of the field.
  const single = stepText === undefined ? start : within.max;
  const end = star ? within.max : high === undefined ? single : numberOrName(high, within);
  if (start < within.min) throw new DecodeError(`beginning of range (${start}) below minimum (${within.min}): ${text}`);
  if (end > within.max) throw new DecodeError(`end of range (${end}) above maximum (${within.max}): ${text}`);
  if (start > end) throw new DecodeError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new DecodeError(`step of range should be a positive number: ${text}`);
  const values = new Set<number>();
  for (let value = start; value <= end; value += step) values.add(value);
  return { values, any: star && step <= 1 };
}

function numberOrName(text: string, within: Bounds): number {
  const at = within.names.indexOf(text.toLowerCase());
  return at < 0 ? wholeNumber(text) : at + within.min;
}

function wholeNumber(text: string): number {
  if (!/^[+]?\d+$/.test(text)) throw new DecodeError(`failed to parse int from ${text}`);
  return Number(text);
}

function everySchedule(text: string): CronSchedule {
  const length = durationNanoseconds(text);
  if (length === undefined) throw new DecodeError(`failed to parse duration @every ${text}`);
  const seconds = Math.max(1, Math.floor(Number(length) / 1e9));
  return { next: (after) => Math.floor(after / 1000 + seconds) * 1000 };
}

type Spec = Readonly<Record<keyof typeof bounds, Field>>;

/** internal/cron/spec.go Next, loop by loop, since its steps across clock changes are its meaning there. */
function specSchedule(spec: Spec, zone: ZoneClock): CronSchedule {
  return {
    next: (after) => {
      let time = (Math.floor(after / 1000) + 1) * 1000;
      const lastYear = zone.local(time).year + 9;
      let added = false;
      for (;;) {
        let at = zone.local(time);
        if (at.year > lastYear) return undefined;
        let wrapped = false;
        const move = (to: number) => {
          added = true;
          time = to;
          at = zone.local(time);
        };
        while (!wrapped && !spec.month.values.has(at.month)) {
          if (!added) move(zone.absolute({ ...at, day: 1, hour: 0, minute: 0, second: 0 }));
          move(zone.absolute({ ...at, month: at.month + 1 }));
          wrapped = at.month === 1;
        }
        while (!wrapped && !dayMatches(spec, at)) {
          if (!added) move(zone.absolute({ ...at, hour: 0, minute: 0, second: 0 }));
          move(zone.absolute({ ...at, day: at.day + 1 }));
          // Some zones have days without a midnight.
          if (at.hour !== 0) move(time + (at.hour > 12 ? 24 - at.hour : -at.hour) * hour);
          wrapped = at.day === 1;
        }
        while (!wrapped && !spec.hour.values.has(at.hour)) {
          if (!added) move(zone.absolute({ ...at, minute: 0, second: 0 }));
          move(time + hour);
          wrapped = at.hour === 0;
        }
        while (!wrapped && !spec.minute.values.has(at.minute)) {
          if (!added) move(Math.floor(time / minute) * minute);
          move(time + minute);
          wrapped = at.minute === 0;
        }
        while (!wrapped && at.second !== 0) {
          move(time + 1000);
          wrapped = at.second === 0;
        }
        if (!wrapped) return time;
      }
    },
  };
}

const minute = 60_000;
const hour = 60 * minute;

function dayMatches(spec: Spec, at: LocalTime): boolean {
  const day = spec.day.values.has(at.day);
  const weekday = spec.weekday.values.has(new Date(Date.UTC(at.year, at.month - 1, at.day)).getUTCDay());
  return spec.day.any || spec.weekday.any ? day && weekday : day || weekday;
}

type LocalTime = Readonly<Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>>;

interface ZoneClock {
  local(time: number): LocalTime;
  /** Fields may overflow, as in Go's time.Date: month 13 is January. */
  absolute(local: LocalTime): number;
}

function zoneClock(timeZone: string): ZoneClock {
  const offset = zoneOffset(timeZone);
  return {
    local: (time) => {
      const date = new Date(time + offset(time));
      return {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
      };
    },
    absolute: (local) => {
      const asUtc = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
      const guess = asUtc - offset(asUtc);
      // Go looks the offset up once more where the first guess lands on the other side of a clock change.
      return asUtc - offset(guess);
    },
  };
}

/** Milliseconds to add to UTC at a moment. */
function zoneOffset(timeZone: string): (time: number) => number {
  if (timeZone === 'UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new DecodeError(`unknown time zone ${timeZone}`);
  }
  return (time) => {
    const parts = new Map(format.formatToParts(time).map((part) => [part.type, Number(part.value)]));
    const field = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
    const local = Date.UTC(
      field('year'),
      field('month') - 1,
      field('day'),
      field('hour'),
      field('minute'),
      field('second'),
    );
    return local - Math.floor(time / 1000) * 1000;
  };
}
