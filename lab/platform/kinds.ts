import type { Kind } from '../../shared/cluster/objects.js';

const kind = (kindName: string, group: string, plural: string, namespaced: boolean, version = 'v1'): Kind =>
  Object.freeze({ kind: kindName, group, version, plural, namespaced });

/** Kinds that only the lab writes; mcprt itself reads none of them. */
export const labKinds = {
  disruptionBudget: kind('PodDisruptionBudget', 'policy', 'poddisruptionbudgets', true),
  serversTransport: kind('ServersTransport', 'traefik.io', 'serverstransports', true, 'v1alpha1'),
  helmChart: kind('HelmChart', 'helm.cattle.io', 'helmcharts', true),
} as const satisfies Record<string, Kind>;
