import type { KubeObject } from '../../cluster/objects.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { isRecord } from '../../json.js';
import type { Finding } from '../finding.js';

/** JSON, in which a Map and a Date are objects with one field that says so. */
type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/** The facts of a site, by path: `pods`, or `seen.certificates`. */
export type RecordedFacts = { [path: string]: Plain };

/** What is not as on the healthy site: of objects those that are, the names of those that are gone; of all else the value. */
export type Differences = { [path: string]: { is: Plain } | { objects: Plain[]; gone: string[] } };

/** A site that was broken for real, and what was found there. */
export interface RecordedWorld {
  name: string;
  differences: Differences;
  /** In order: code, severity and subject. */
  findings: string[];
}

/** Where `npm run prove -- broken-worlds --record` puts what it saw, from the repository's root. */
export const recordedWorlds = 'shared/checks/testing/worlds.json';

/** What a recording keeps of a finding: words may change without a new one. */
export function findingLine({ code, severity, subject }: Finding): string {
  return `${severity} ${code}: ${subject}`;
}

/** Facts as JSON. What no rule may look at, as it changes with every write, is left out. */
export function recordFacts(facts: PlatformFacts): RecordedFacts {
  const { seen, ...others } = facts;
  const parts = [
    ...Object.entries(others),
    ...Object.entries(seen).map(([name, value]) => [`seen.${name}`, value] as const),
  ];
  return Object.fromEntries(
    parts.filter(([, value]) => value !== undefined).map(([path, value]) => [path, plain(value)]),
  );
}

/** Facts of a recording, with what differs from it. The reverse of `recordFacts` and `differencesOf`. */
export function factsOf(healthy: RecordedFacts, differences: Differences = {}): PlatformFacts {
  const whole = { ...healthy };
  for (const [path, difference] of Object.entries(differences)) {
    if ('is' in difference) whole[path] = difference.is;
    else {
      const away = new Set([...difference.gone, ...difference.objects.map(nameOf)]);
      whole[path] = [...itemsOf(whole[path]).filter((one) => !away.has(nameOf(one))), ...difference.objects];
    }
  }
  const facts: Record<string, unknown> = {};
  const seen: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(whole)) {
    const inside = path.startsWith('seen.');
    (inside ? seen : facts)[inside ? path.slice('seen.'.length) : path] = living(value);
  }
  // A recording was `PlatformFacts` when it was made; a replay that finds what was found shows that it still is.
  return { ...facts, seen } as unknown as PlatformFacts;
}

/** What differs between two recordings, object by object where a part holds objects of a cluster. */
export function differencesOf(healthy: RecordedFacts, broken: RecordedFacts): Differences {
  const found: Differences = {};
  for (const path of new Set([...Object.keys(healthy), ...Object.keys(broken)])) {
    const [before, after] = [healthy[path] ?? null, broken[path] ?? null];
    if (isSame(before, after)) continue;
    if (!holdsObjects(before) || !holdsObjects(after)) {
      found[path] = { is: after };
      continue;
    }
    const old = new Map(before.map((one) => [nameOf(one), one]));
    const names = new Set(after.map(nameOf));
    const objects = after.filter((one) => !isSame(one, old.get(nameOf(one)) ?? null));
    const gone = [...old.keys()].filter((name) => !names.has(name));
    if (objects.length + gone.length > 0) found[path] = { objects, gone };
  }
  return found;
}

/**
 * The fewest of these differences with which `isShown` still holds: each is left out in turn, and stays out where it is
 * not missed, until all that is left is missed.
 */
export function fewest(differences: Differences, isShown: (fewer: Differences) => boolean): Differences {
  const fewer = fewerThan(differences, isShown);
  return isSame(fewer, differences) ? fewer : fewest(fewer, isShown);
}

function fewerThan(differences: Differences, isShown: (fewer: Differences) => boolean): Differences {
  let kept = differences;
  const attempt = (fewer: Differences): void => {
    if (isShown(fewer)) kept = fewer;
  };
  for (const path of Object.keys(differences)) {
    const { [path]: difference, ...rest } = kept;
    attempt(rest);
    if (difference === undefined || 'is' in difference || kept[path] === undefined) continue;
    for (const object of difference.objects) attempt({ ...kept, [path]: without(kept[path], object) });
    for (const name of difference.gone) attempt({ ...kept, [path]: without(kept[path], name) });
  }
  return kept;
}

function without(difference: Differences[string] | undefined, one: Plain): Differences[string] {
  if (difference === undefined || 'is' in difference) return difference ?? { objects: [], gone: [] };
  return {
    objects: difference.objects.filter((object) => object !== one),
    gone: difference.gone.filter((name) => name !== one),
  };
}

function plain(value: unknown): Plain {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Map) return { $map: [...value].map(([key, one]) => [plain(key), plain(one)]) };
  if (Array.isArray(value)) return value.map(plain);
  if (isRecord(value)) {
    if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null)
      throw new TypeError(`a ${value.constructor.name} cannot be recorded`);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name, one]) => one !== undefined && name !== 'managedFields' && name !== 'resourceVersion')
        .map(([name, one]) => [name, plain(one)]),
    );
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new TypeError(`a ${typeof value} cannot be recorded`);
}

function living(value: Plain): unknown {
  if (Array.isArray(value)) return value.map(living);
  if (value === null || typeof value !== 'object') return value ?? undefined;
  if (typeof value.$date === 'string') return new Date(value.$date);
  if (Array.isArray(value.$map))
    return new Map(value.$map.map((pair) => itemsOf(pair).map(living) as [unknown, unknown]));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, living(one)]));
}

function itemsOf(value: Plain | undefined): Plain[] {
  return Array.isArray(value) ? value : [];
}

function isSame(one: Plain, other: Plain): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function holdsObjects(value: Plain): value is Plain[] {
  return Array.isArray(value) && value.every((one) => isRecord(one) && isRecord(one.metadata));
}

function nameOf(object: Plain): string {
  const { kind, metadata } = object as unknown as KubeObject;
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}
