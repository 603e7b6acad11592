/**
 * How long a server wants to be left alone, in s, by its `Retry-After`: a number, or a date as HTTP has it, of which none is left
 * when it is past. Undefined where it says nothing that can be read.
 */
export function retryAfter(header: string | string[] | undefined, now: Date): number | undefined {
  const text = [header ?? ''].flat()[0] ?? '';
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  return Number.isFinite(seconds) ? Math.max(seconds, 0) : undefined;
}
