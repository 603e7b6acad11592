import { isRecord, parsedJson } from '../json.js';

type Value = string | number | boolean;

/**
 * What GitHub takes of the outputs of one job, in bytes: a job may hand on those of one step. It counts them in UTF-16, and
 * other limits on the way in UTF-8; what is longer in either counts here.
 */
export const outputLimit = 1_000_000;
/** Words of a schema, times, digests and names are shorter than this, in characters: they are never cut. */
const longestWord = 512;
/** What mcprt itself writes has no longer text, in characters. */
const longestOwn = 8_192;
/** More items, or characters of a text, than fit into an output. */
const many = 1_000_000;

/** How long a text is to GitHub, in bytes. */
export function outputSize(text: string): number {
  return Math.max(2 * text.length, Buffer.byteLength(text));
}

/**
 * Outputs of a step, none of them longer than GitHub takes, nor all together. `result` gets what the others leave, and half
 * at least. JSON stays JSON of the same shape, with fewer items in its lists, and says in `omitted` what is missing where.
 */
export function fitOutputs(outputs: Readonly<Record<string, Value>>, most = outputLimit): Record<string, Value> {
  if (sizeOf(outputs) <= most) return { ...outputs };
  const { result, ...others } = outputs;
  const half = Math.floor(most / 2);
  const each = sizeOf(others) <= half ? half : Math.floor(half / Object.keys(others).length);
  const fitted = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [name, fitValue(value, each - outputSize(name))]),
  );
  if (result === undefined) return fitted;
  return { ...fitted, result: fitValue(result, most - sizeOf(fitted) - outputSize('result')) };
}

function sizeOf(outputs: Readonly<Record<string, Value>>): number {
  return Object.entries(outputs).reduce((sum, [name, value]) => sum + outputSize(name) + outputSize(String(value)), 0);
}

function fitValue(value: Value, most: number): Value {
  if (typeof value !== 'string' || outputSize(value) <= most) return value;
  const parsed = /^[{[]/.test(value) ? parsedJson(value) : undefined;
  return parsed === undefined ? cutText(value, most) : fitJson(parsed, most);
}

/** The beginning of a text, with a sign that there is more; whole characters only. */
function cutText(text: string, most: number): string {
  if (most < 3) return '';
  // No character has more than three bytes for each of its UTF-16 units.
  const length = Math.max(Math.floor(most / 3) - 1, 0);
  return `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * JSON of the same shape that fits: without the ends of texts that are longer than any of ours, with fewer items in its
 * lists, then with short texts only. Where not even that fits, as with very many fields, it is the plain fields alone.
 */
function fitJson(value: unknown, most: number): string {
  const fits = (limits: Limits): boolean => outputSize(shortened(value, limits)) <= most;
  const text = largest([longestOwn, many], (length) => fits({ items: many, text: length }));
  if (text !== undefined) return shortened(value, { items: many, text });
  const items = largest([0, many], (count) => fits({ items: count, text: longestOwn }));
  if (items !== undefined) return shortened(value, { items, text: longestOwn });
  const word = largest([longestWord, longestOwn], (length) => fits({ items: 0, text: length }));
  if (word !== undefined) return shortened(value, { items: 0, text: word });
  return isRecord(value) ? plainFields(value, most) : '[]';
}

function plainFields(value: Record<string, unknown>, most: number): string {
  const plain = Object.entries(value).filter(
    ([, one]) => (typeof one !== 'object' || one === null) && outputSize(String(one)) <= 2 * longestWord,
  );
  const omitted = { '*': Object.keys(value).length - plain.length };
  const json = JSON.stringify({ ...Object.fromEntries(plain), omitted });
  return outputSize(json) <= most ? json : '{}';
}

interface Limits {
  /** How many items a list may have. */
  items: number;
  /** How many characters a text may have. */
  text: number;
}

/** The largest number of a range for which holds what holds for all smaller ones too; undefined where it holds for none. */
function largest([least, most]: readonly [number, number], holds: (count: number) => boolean): number | undefined {
  if (!holds(least)) return undefined;
  let [good, bad] = [least, most + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function shortened(value: unknown, limits: Limits): string {
  const omitted = new Map<string, number>();
  const miss = (path: string, count: number): void => void omitted.set(path, (omitted.get(path) ?? 0) + count);
  const cut = (one: unknown, path: string): unknown => {
    if (typeof one === 'string' && one.length > limits.text) {
      miss(path, one.length - limits.text);
      return `${one.slice(0, limits.text).toWellFormed()}…`;
    }
    if (Array.isArray(one)) {
      if (one.length > limits.items) miss(path, one.length - limits.items);
      return one.slice(0, limits.items).map((item) => cut(item, `${path}[]`));
    }
    if (!isRecord(one)) return one;
    return Object.fromEntries(
      Object.entries(one).map(([name, inner]) => [name, cut(inner, path === '' ? name : `${path}.${name}`)]),
    );
  };
  const shown = cut(value, '');
  if (omitted.size === 0 || !isRecord(shown)) return JSON.stringify(shown);
  return JSON.stringify({ ...shown, omitted: Object.fromEntries(omitted) });
}
