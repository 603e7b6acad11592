import { asNew, createObject } from '../../lab/platform/objects.js';
import {
  type Cluster,
  isNotFound,
  type objectOf,
  type PatchOperation,
  type Ref,
} from '../../shared/cluster/cluster.js';
import { at } from '../../shared/cluster/fields.js';
import type { Kind, KubeObject } from '../../shared/cluster/objects.js';
import type { World } from '../world/world.js';
import type { Glance } from './glance.js';

/** Where a field is; numbers are places in lists. */
export type FieldPath = readonly (string | number)[];

/** A world in which things are broken. What is changed through it is put back by `mend`, the last change first. */
export interface Site extends World<'front' | 'source' | 'installer'> {
  /** Sets one field, or takes it away when the value is undefined. */
  set(kind: Kind, ref: Ref, path: FieldPath, value: unknown, subresource?: string): Promise<void>;
  /** Deletes an object; mended, it is made again. */
  remove(kind: Kind, ref: Ref): Promise<void>;
  /** Makes an object; mended, it is deleted. */
  add(kind: Kind, object: Parameters<typeof objectOf>[1]): Promise<void>;
  /** Says how something else is put back. */
  mendWith(action: () => Promise<void>): void;
  /** Says what it is looked at with until it is mended. */
  lookWith(glance: Glance): void;
  glance(): Glance;
  mend(): Promise<void>;
}

/** Makes a site of a world that is healthy. */
export function makeSite(world: World<'front' | 'source' | 'installer'>): Site {
  const { cluster } = world;
  const undo: (() => Promise<void>)[] = [];
  let glance: Glance = {};
  return {
    ...world,
    async set(kind, ref, path, value, subresource) {
      const object = await mustGet(cluster, kind, ref);
      const before = at(object, ...path);
      await cluster.patch(kind, ref, operations(object, path, value), subresource);
      undo.push(async () => {
        const now = await cluster.get<KubeObject>(kind, ref);
        // Somebody may have put it back already, as cert-manager does with what it keeps up to date.
        if (now === undefined || (before === undefined && at(now, ...path) === undefined)) return;
        await cluster.patch(kind, ref, operations(now, path, before), subresource);
      });
    },
    async remove(kind, ref) {
      const before = await mustGet(cluster, kind, ref);
      await cluster.delete(kind, ref);
      undo.push(async () => {
        if ((await cluster.get(kind, ref)) === undefined) await cluster.create(kind, asNew(before));
      });
    },
    async add(kind, object) {
      await createObject(cluster, kind, object);
      undo.push(async () => {
        await cluster.delete(kind, object.metadata);
      });
    },
    mendWith: (action) => void undo.push(action),
    lookWith(next) {
      glance = next;
    },
    glance: () => glance,
    async mend() {
      glance = {};
      for (let action = undo.pop(); action !== undefined; action = undo.pop()) await action();
    },
  };
}

/** An object that a case is about, which must be there. */
export async function mustGet(cluster: Cluster, kind: Kind, ref: Ref): Promise<KubeObject> {
  const found = await cluster.get<KubeObject>(kind, ref);
  if (found === undefined) throw new Error(`${kind.kind} ${ref.namespace ?? ''}/${ref.name} is not there to be broken`);
  return found;
}

/** Deletes what may be gone already. */
export async function deleteQuietly(cluster: Cluster, kind: Kind, ref: Ref): Promise<void> {
  await cluster.delete(kind, ref).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

/** Sets a field, and what it stands in where that is missing: an API server drops a map that has become empty. */
function operations(object: KubeObject, path: FieldPath, value: unknown): PatchOperation[] {
  const pointer = (parts: FieldPath): string =>
    parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  if (value === undefined) return [{ op: 'remove', path: pointer(path) }];
  const above = path.slice(0, -1).map((_part, index) => path.slice(0, index + 1));
  const missing = above.filter((parts) => at(object, ...parts) === undefined);
  return [
    ...missing.map((parts): PatchOperation => ({ op: 'add', path: pointer(parts), value: {} })),
    { op: 'add', path: pointer(path), value },
  ];
}
