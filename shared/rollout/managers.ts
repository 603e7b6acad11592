import { fieldManager } from '../cluster/cluster.js';
import { at, recordsAt, textAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';
import { isRecord } from '../json.js';

/** Who wrote a field, by Kubernetes' own records (`metadata.managedFields`). */
export interface Writer {
  manager: string;
  /** RFC 3339; empty when it is not told. */
  time: string;
}

/** Programs that put back what they manage: a rollout over them would be undone by the next sync. */
const reconcilers =
  /^(?:argocd|argo-cd|kustomize-controller|helm-controller|flux|fleet|rancher-fleet|kapp-controller|keel)/i;

/** Where containers are in a pod: a name is in one of them only. */
const containerLists = ['f:containers', 'f:initContainers'] as const;

/** The last one who wrote the image of a container of a workload. */
export function lastWriter(workload: KubeObject, container: string): Writer | undefined {
  return writersOf(workload, container)
    .sort((a, b) => a.time.localeCompare(b.time))
    .at(-1);
}

/** The program that keeps the image of a container as it wants it, if one does. */
export function reconcilerOf(workload: KubeObject, container: string): Writer | undefined {
  return writersOf(workload, container).find(({ manager }) => reconcilers.test(manager));
}

/**
 * What mcprt has applied to a workload before. Server-side apply takes away what an applier owned and leaves out the next
 * time, so that each write has to name it again.
 */
export function ownFields(workload: KubeObject): { containers: string[]; pullSecrets: string[] } {
  const own = recordsAt(workload, 'metadata', 'managedFields').filter(
    ({ manager, operation }) => manager === fieldManager && operation === 'Apply',
  );
  const namesBelow = (list: string, needed: string | undefined): string[] =>
    own.flatMap((entry) => {
      const found = at(entry, 'fieldsV1', 'f:spec', 'f:template', 'f:spec', list);
      const members = Object.entries(isRecord(found) ? found : {});
      return members
        .filter(([key, fields]) => key.startsWith('k:') && (needed === undefined || at(fields, needed) !== undefined))
        .map(([key]) => textAt(JSON.parse(key.slice(2)), 'name'));
    });
  return {
    containers: containerLists.flatMap((list) => namesBelow(list, 'f:image')),
    pullSecrets: namesBelow('f:imagePullSecrets', undefined),
  };
}

function writersOf(workload: KubeObject, container: string): Writer[] {
  return recordsAt(workload, 'metadata', 'managedFields')
    .filter((entry) => ownsImage(entry.fieldsV1, container))
    .map((entry) => ({ manager: textAt(entry, 'manager'), time: textAt(entry, 'time') }));
}

/** Whether a set of fields (`FieldsV1`) has the image of a container, which is found by its name. */
function ownsImage(fields: unknown, container: string): boolean {
  const key = `k:{"name":${JSON.stringify(container)}}`;
  return containerLists.some(
    (list) => at(fields, 'f:spec', 'f:template', 'f:spec', list, key, 'f:image') !== undefined,
  );
}
