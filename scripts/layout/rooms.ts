import type { Source } from './sources.js';

/** A row of the table of folders in docs/architecture.md: a folder, and the folders that it may import from. */
export interface Room {
  name: string;
  mayKnow: readonly string[];
}

/** One room that imports from another, with the files that do. */
export interface Arrow {
  from: string;
  to: string;
  files: readonly string[];
}

/**
 * The rooms of docs/architecture.md: of each row of its first table, the folders in its first cell, and in its last one the
 * rooms that they may import from, in backticks.
 */
export function roomsOf(page: string): Room[] {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const read = rows.map((row) => row.split('|').slice(1, -1)).filter((cells) => cells.length === 3);
  const inTicks = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const all = read.flatMap(([folders = '', , know = '']) =>
    inTicks(folders).map((name) => ({ name: bare(name), know: inTicks(know).map(bare) })),
  );
  return all.map(({ name, know }) => ({
    name,
    mayKnow: all.map((one) => one.name).filter((other) => know.some((one) => matches(one, other))),
  }));
}

/** The room that a file is in: the row whose folder is the longest that it lies below. */
export function roomOf(rooms: readonly Room[], path: string): string | undefined {
  const around = rooms.map(({ name }) => name).filter((name) => covers(name, path));
  return around.sort((one, other) => other.length - one.length)[0];
}

/** Who imports from whom. Tests and what they stand on are no part of a room's duty, and are left out. */
export function arrowsBetween(rooms: readonly Room[], sources: readonly Source[]): Arrow[] {
  const found = new Map<string, Arrow>();
  for (const { path, imports } of sources.filter(({ path: one }) => !isTest(one))) {
    const from = roomOf(rooms, path);
    for (const imported of imports) {
      const to = roomOf(rooms, imported);
      if (from === undefined || to === undefined || from === to) continue;
      const key = `${from} → ${to}`;
      found.set(key, { from, to, files: [...new Set([...(found.get(key)?.files ?? []), path])] });
    }
  }
  return [...found.values()];
}

/** Arrows that the table does not allow. */
export function arrowsUp(rooms: readonly Room[], arrows: readonly Arrow[]): Arrow[] {
  return arrows.filter(({ from, to }) => !rooms.find(({ name }) => name === from)?.mayKnow.includes(to));
}

/** Files that import each other in a circle, tests included: each group is one circle, or several that touch. */
export function circlesOf(sources: readonly Source[]): string[][] {
  const byPath = new Map(sources.map((one) => [one.path, one]));
  const number = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  // Tarjan's strongly connected components.
  const visit = (path: string): number => {
    const own = number.size;
    number.set(path, own);
    lowest.set(path, own);
    open.push(path);
    for (const next of byPath.get(path)?.imports ?? []) {
      if (!byPath.has(next)) continue;
      const reached = number.has(next) ? (open.includes(next) ? (number.get(next) ?? own) : own) : visit(next);
      lowest.set(path, Math.min(lowest.get(path) ?? own, reached));
    }
    if (lowest.get(path) === own) {
      const group = open.splice(open.indexOf(path));
      if (group.length > 1 || byPath.get(path)?.imports.includes(path)) circles.push(group.sort());
    }
    return lowest.get(path) ?? own;
  };
  for (const { path } of sources) if (!number.has(path)) visit(path);
  return circles;
}

export function isTest(path: string): boolean {
  return /\.test\.ts$|(?:^|\/)testing\//.test(path);
}

function bare(name: string): string {
  return name.replace(/\/$/, '');
}

function covers(folder: string, path: string): boolean {
  return patternOf(folder, '(?:/|$)').test(path);
}

function matches(wanted: string, folder: string): boolean {
  return wanted === folder || patternOf(wanted, '$').test(folder);
}

/** `action-*` stands for every folder of that name. */
function patternOf(folder: string, end: string): RegExp {
  return new RegExp(`^${folder.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace('*', '[^/]*')}${end}`);
}
