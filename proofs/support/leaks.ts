import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { ProofContext } from './proof.js';

/** A value that must not be found anywhere. */
export interface Canary {
  /** What a report calls it; never the value. */
  name: string;
  value: string;
}

/** Looks for many values at once. */
export interface LeakSearch {
  /** Number of texts that are looked for. */
  readonly needles: number;
  /** Names of the canaries of which a part is in the text, in any of the encodings. */
  in(text: string | Buffer): string[];
}

/** Shorter parts are ordinary words. */
const shortest = 12;
/** A line is cut into pieces of this length, so that half a secret in a shortened message is found as well. */
const piece = 24;
/** The index of the search is by the first characters. */
const indexed = 8;

/**
 * Prepares a search for values line by line and piece by piece: as they are, in base64 and base64url at every
 * alignment, in hex, URL-encoded and as JSON writes them.
 */
export function leakSearch(canaries: readonly Canary[]): LeakSearch {
  const index = new Map<string, Map<string, string>>();
  let needles = 0;
  for (const { name, value } of canaries) {
    for (const text of new Set(piecesOf(value).flatMap(encodings))) {
      const start = text.slice(0, indexed);
      index.set(start, (index.get(start) ?? new Map<string, string>()).set(text, name));
      needles += 1;
    }
  }
  return {
    needles,
    in(searched) {
      const text =
        typeof searched === 'string' ? Buffer.from(searched).toString('latin1') : searched.toString('latin1');
      const found = new Set<string>();
      for (let at = 0; at + indexed <= text.length; at++) {
        for (const [needle, name] of index.get(text.slice(at, at + indexed)) ?? []) {
          if (text.startsWith(needle, at)) found.add(name);
        }
      }
      return [...found];
    },
  };
}

/** All files that the runs left, each as a person or another job could read it. */
export async function filesBelow(folder: string): Promise<{ path: string; text: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return pMap(
    entries.filter((entry) => entry.isFile()),
    async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { path, text: await readFile(path) };
    },
    // A proof in full leaves more files than a process may have open.
    { concurrency: 64 },
  );
}

/**
 * Looks for values in everything that the actions of a proof have written so far, and notes where they are.
 *
 * @param also further files, by their paths
 * @returns how many files were searched
 */
export async function searchRuns(
  { folder, fail }: ProofContext,
  canaries: readonly Canary[],
  also?: RegExp,
): Promise<number> {
  const search = leakSearch(canaries);
  const files = (await filesBelow(folder)).filter(
    ({ path }) => /\/run-[0-9a-f]{8}\//.test(path) || (also?.test(path) ?? false),
  );
  for (const { path, text } of files) for (const name of search.in(text)) fail(`${path} holds ${name}`);
  return files.length;
}

/** The value of a Secret as canaries look for it: its text, or the base64 of what is no text. */
export function secretText(encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : encoded;
}

function piecesOf(value: string): string[] {
  return value
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= shortest && !/^-----(?:BEGIN|END) [A-Z ]+-----$/.test(line))
    .flatMap((line) =>
      line.length < 2 * piece
        ? [line]
        : Array.from({ length: Math.floor(line.length / piece) }, (_, at) => line.slice(at * piece, (at + 1) * piece)),
    );
}

function encodings(text: string): string[] {
  const bytes = Buffer.from(text);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((shift) => alignedBase64(bytes, shift));
  return [
    bytes.toString('latin1'),
    ...base64,
    ...base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(text.toWellFormed()),
    JSON.stringify(text).slice(1, -1),
  ];
}

/** The characters of base64 that bytes have inside a longer text, where they begin `shift` bytes after a group. */
function alignedBase64(bytes: Buffer, shift: number): string {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor((whole.length * 8) / 6);
  return whole.toString('base64').slice(first, last);
}
