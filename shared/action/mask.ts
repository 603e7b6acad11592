import * as core from '@actions/core';
import { views } from './encodings.js';

/** Shorter values are ordinary words: masking them would star out half of the log, and hide nothing. */
const shortest = 6;
/** Of a longer secret this many characters are enough to know it by: a message that was cut may hold no more of it. */
export const telling = 16;
/** What stands in place of a secret, as on the runner. */
const stars = '***';

/** With what every key of its kind begins: no secret, and what a message names that asks for one. */
const publicPart = /^(?:mcprt-(?:backup|restore)-key-1\.|AGE-SECRET-KEY-(?:PQ-)?1)/;

/** Tells a secret, before it is used. */
export type Mask = (secret: string) => void;

/** The secrets of this process, line by line. They are kept once, as they are: text that is to be shown is decoded instead. */
const whole = new Set<string>();
const beginnings = new Set<string>();
/** Longer ones by their beginning. */
const long = new Map<string, string[]>();
const shortLengths = new Set<number>();

/** Takes note of a secret for whatever this process shows from now on. @returns the lines of it that were not known */
export function remember(secret: string): string[] {
  const news: string[] = [];
  for (const line of secret.split(/\r\n?|\n/).map((part) => part.trim().replace(publicPart, ''))) {
    if (line.length < shortest || whole.has(line) || /^-----(?:BEGIN|END) [A-Z ]{1,40}-----$/.test(line)) continue;
    whole.add(line);
    beginnings.add(line.slice(0, shortest));
    if (line.length < telling) shortLengths.add(line.length);
    else {
      const start = line.slice(0, telling);
      const same = long.get(start);
      if (same === undefined) long.set(start, [line]);
      else same.push(line);
    }
    news.push(line);
  }
  return news;
}

/** Takes note of a secret, and tells the runner each line of it once, as the runner compares line by line. */
export const mask: Mask = (secret) => {
  for (const line of remember(secret)) core.setSecret(line);
};

/** What this process has told the runner to mask, line by line. */
export function maskedLines(): Iterable<string> {
  return whole;
}

/**
 * A text without the secrets that this process knows: as they are, as JSON, Markdown, XML or an address writes them, and
 * within base64 or hex. A piece of `telling` characters from a secret’s beginning is hidden as well.
 *
 * @param least secrets shorter than this stay: they may be ordinary words
 */
export function hide(text: string, least = shortest): string {
  if (whole.size === 0) return text;
  const spans = views(text).flatMap(({ shown, from, to }) =>
    spansIn(shown, least).map(([start, end]) => [from(start), to(end)] as const),
  );
  if (spans.length === 0) return text;
  spans.sort(([a], [b]) => a - b);
  let hidden = '';
  let at = 0;
  for (const [start, end] of spans) {
    if (end <= at) continue;
    // What two secrets share is hidden once.
    if (start >= at) hidden += text.slice(at, start) + stars;
    at = end;
  }
  return hidden + text.slice(at);
}

/** Untyped data with `hide` done to each text in it. */
export function hidden<T>(value: T): T {
  if (typeof value === 'string') return hide(value) as T & string;
  if (Array.isArray(value)) return value.map(hidden) as T & unknown[];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hidden(one)])) as T & object;
}

function spansIn(text: string, least: number): [number, number][] {
  const spans: [number, number][] = [];
  for (let at = 0; at + shortest <= text.length; at += 1) {
    if (!beginnings.has(text.slice(at, at + shortest))) continue;
    const length = longestAt(text, at);
    if (length < least) continue;
    spans.push([at, at + length]);
    at += length - 1;
  }
  return spans;
}

function longestAt(text: string, at: number): number {
  let longest = 0;
  for (const line of long.get(text.slice(at, at + telling)) ?? []) {
    let same = telling;
    while (same < line.length && line.charCodeAt(same) === text.charCodeAt(at + same)) same += 1;
    longest = Math.max(longest, same);
  }
  if (longest > 0) return longest;
  for (const length of shortLengths) {
    if (length > longest && whole.has(text.slice(at, at + length))) longest = length;
  }
  return longest;
}
