import { recordsAt, textAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';

/**
 * Which of some keys of a ConfigMap the pods of a workload read at their start only: into their environment, or as a file
 * that is mounted by itself (subPath); the files of a volume that is mounted as a whole change without a restart. Who takes
 * the whole ConfigMap into the environment reads every key; a database that takes one is not restarted for another.
 */
export function keysRead(workload: KubeObject, name: string, keys: readonly string[]): string[] {
  const pod = ['spec', 'template', 'spec'] as const;
  const containers = [...recordsAt(workload, ...pod, 'initContainers'), ...recordsAt(workload, ...pod, 'containers')];
  const volumes = recordsAt(workload, ...pod, 'volumes').flatMap((volume) => filesOf(volume, name));
  const reads = (key: string): boolean =>
    containers.some(
      (container) =>
        recordsAt(container, 'envFrom').some((one) => textAt(one, 'configMapRef', 'name') === name) ||
        recordsAt(container, 'env').some(
          (one) =>
            textAt(one, 'valueFrom', 'configMapKeyRef', 'name') === name &&
            textAt(one, 'valueFrom', 'configMapKeyRef', 'key') === key,
        ) ||
        recordsAt(container, 'volumeMounts').some((mount) =>
          volumes.some(
            (volume) => volume.name === textAt(mount, 'name') && isBelow(volume, textAt(mount, 'subPath'), key),
          ),
        ),
    );
  return keys.filter(reads);
}

interface Files {
  /** Of the volume. */
  name: string;
  /** Path by key; undefined where every key is a file of its name. */
  paths: ReadonlyMap<string, string> | undefined;
}

/** The files of a ConfigMap in a volume, once for each place where the volume takes it. */
function filesOf(volume: Record<string, unknown>, name: string): Files[] {
  const sources = [
    ...(textAt(volume, 'configMap', 'name') === name ? recordsAt([volume.configMap]) : []),
    ...recordsAt(volume, 'projected', 'sources').flatMap((source) =>
      textAt(source, 'configMap', 'name') === name ? recordsAt([source.configMap]) : [],
    ),
  ];
  return sources.map((source) => {
    const items = recordsAt(source, 'items');
    return {
      name: textAt(volume, 'name'),
      paths: items.length === 0 ? undefined : new Map(items.map((one) => [textAt(one, 'key'), textAt(one, 'path')])),
    };
  });
}

/** Whether the file of a key is at or below `subPath` in a volume. */
function isBelow({ paths }: Files, subPath: string, key: string): boolean {
  const path = paths === undefined ? key : paths.get(key);
  return path !== undefined && subPath !== '' && (path === subPath || path.startsWith(`${subPath}/`));
}
