import type { PatchOperation } from './cluster.js';
import type { KubeObject } from './objects.js';

/** A field below another one, as a JSON pointer: names of labels and annotations hold slashes (RFC 6901). */
export function pointerTo(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** What sets one label or annotation of an object, which may have none so far. */
export function setting(
  { metadata }: Pick<KubeObject, 'metadata'>,
  of: 'labels' | 'annotations',
  name: string,
  value: string,
): PatchOperation[] {
  const parent = `/metadata/${of}`;
  return [
    ...(metadata[of] === undefined ? [{ op: 'add', path: parent, value: {} } as const] : []),
    { op: 'add', path: pointerTo(parent, name), value },
  ];
}
