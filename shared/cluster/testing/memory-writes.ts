import { isRecord } from '../../json.js';
import type { KubeObject } from '../objects.js';

/** One object and who applied which of its fields. */
export interface Stored {
  object: KubeObject;
  /** Leaf paths by field manager. */
  owners: Map<string, Set<string>>;
}

// A null character is in no name of a field.
const separator = '\u0000';

/** What names an object is nobody's field. */
const identity = ['apiVersion', 'kind', `metadata${separator}name`, `metadata${separator}namespace`];

/** Owners of an object that was not applied: what created it keeps no claim that an apply would meet. */
export function forget(): Stored['owners'] {
  return new Map();
}

/**
 * Server-side apply: fields of this manager that are left out go, fields of others stay, and what another manager applied
 * with another value is a conflict unless forced.
 */
export function applied(
  current: Stored | undefined,
  wanted: KubeObject,
  { manager, force }: { manager: string; force: boolean },
): { object: KubeObject; owners: Stored['owners'] } | { conflict: string } {
  const { resourceVersion: _, ...metadata } = wanted.metadata;
  const given = leaves({ ...wanted, metadata });
  const before = current?.object;
  const owners = new Map([...(current?.owners ?? [])].map(([name, paths]) => [name, new Set(paths)]));
  const contested = [...given].flatMap(([path, value]) =>
    [...owners]
      .filter(
        ([name, paths]) =>
          name !== manager && paths.has(path) && JSON.stringify(valueAt(before, path)) !== JSON.stringify(value),
      )
      .map(([name]) => ({ name, path })),
  );
  if (contested.length > 0 && !force) {
    return {
      conflict: `Apply failed with ${contested.length} conflict: conflict with "${contested[0]?.name}": .${contested[0]?.path}`,
    };
  }
  for (const { name, path } of contested) owners.get(name)?.delete(path);
  const object = structuredClone(
    before ?? { apiVersion: wanted.apiVersion, kind: wanted.kind, metadata: { name: '' } },
  );
  for (const path of owners.get(manager) ?? []) {
    const isShared = [...owners].some(([name, paths]) => name !== manager && paths.has(path));
    if (!given.has(path) && !isShared) removeAt(object, path);
  }
  for (const [path, value] of given) setAt(object, path, value);
  owners.set(manager, new Set([...given.keys()].filter((path) => !identity.includes(path))));
  return { object, owners };
}

/** RFC 6902, as far as mcprt sends it; undefined when a `test` fails or a path leads nowhere. */
export function jsonPatched(object: KubeObject, operations: unknown): KubeObject | undefined {
  const patched: unknown = structuredClone(object);
  for (const operation of Array.isArray(operations) ? operations.filter(isRecord) : []) {
    const path = String(operation.path)
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = path.at(-1) ?? '';
    const parent = path
      .slice(0, -1)
      .reduce<unknown>(
        (found, part) => (isRecord(found) ? found[part] : Array.isArray(found) ? found[Number(part)] : undefined),
        patched,
      );
    if (!isRecord(parent) && !Array.isArray(parent)) return undefined;
    const container = parent as Record<string, unknown>;
    const present = container[last];
    if (operation.op === 'test') {
      if (JSON.stringify(present) !== JSON.stringify(operation.value)) return undefined;
    } else if (operation.op === 'add' || (operation.op === 'replace' && present !== undefined)) {
      container[last] = operation.value;
    } else if (operation.op === 'remove' && present !== undefined) {
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else delete container[last];
    } else {
      return undefined;
    }
  }
  return patched as KubeObject;
}

/** Leaf values by path; a list is one value. */
function leaves(value: unknown, path: string[] = []): Map<string, unknown> {
  if (!isRecord(value)) return new Map([[path.join(separator), value]]);
  return new Map(Object.entries(value).flatMap(([field, inner]) => [...leaves(inner, [...path, field])]));
}

function valueAt(value: unknown, path: string): unknown {
  return path.split(separator).reduce<unknown>((found, field) => (isRecord(found) ? found[field] : undefined), value);
}

function setAt(object: KubeObject, path: string, value: unknown): void {
  const fields = path.split(separator);
  let parent: Record<string, unknown> = object;
  for (const field of fields.slice(0, -1)) {
    if (!isRecord(parent[field])) parent[field] = {};
    parent = parent[field] as Record<string, unknown>;
  }
  parent[fields.at(-1) ?? ''] = value;
}

function removeAt(object: KubeObject, path: string): void {
  const fields = path.split(separator);
  const parent = fields
    .slice(0, -1)
    .reduce<unknown>((found, field) => (isRecord(found) ? found[field] : undefined), object);
  if (isRecord(parent)) delete parent[fields.at(-1) ?? ''];
}
