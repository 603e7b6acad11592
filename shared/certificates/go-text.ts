/** Go's spelling of durations, times and lists, where objects or cert-manager's messages use it. */

const unitNanoseconds: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const limit = 2n ** 63n;

/**
 * A Go duration such as `2160h0m0s` or `-1.5h`, in nanoseconds (Go time.ParseDuration). A number would lose nanoseconds from
 * 104 days on, and cert-manager rounds by them.
 * @returns undefined if the text is no duration
 */
export function durationNanoseconds(text: string): bigint | undefined {
  const found = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (found === null) return undefined;
  const [, sign, body = ''] = found;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy)) {
    const size = unitNanoseconds.get(unit) ?? 0n;
    total += BigInt(whole || '0') * size + partOf(size, fraction);
  }
  // There is one more below nothing than above.
  if (total > limit || (total === limit && sign !== '-')) return undefined;
  return sign === '-' ? -total : total;
}

/** A fraction of a unit as Go reckons it: in floating point, from as many digits as an integer holds. */
function partOf(size: bigint, digits: string): bigint {
  let [value, scale] = [0n, 1];
  for (const digit of digits) {
    const longer = value * 10n + BigInt(digit);
    if (value > (limit - 1n) / 10n || longer > limit) break;
    value = longer;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(size) / scale)));
}

/** A list as Go's `%v` prints it: `[a b]`. */
export function listText(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

/** A time as Go's `%s` prints it in UTC, and `<nil>` where there is none. */
export function timeText(time: Date | undefined): string {
  return time === undefined ? '<nil>' : `${time.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** RFC 3339 text of the API as a Date; undefined where there is none. */
export function apiTime(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
