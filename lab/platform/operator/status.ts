import { numberAt, recordsAt } from '../../../shared/cluster/fields.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';

/** What there is of a server's objects. */
export interface ServerObjects {
  deployment: KubeObject | undefined;
  service: KubeObject | undefined;
  ingress: KubeObject | undefined;
  policy: KubeObject | undefined;
}

/** The status of a server without its times. `failure` is what went wrong with the Deployment, if it did. */
export function statusOf(
  server: KubeObject,
  { deployment, service, ingress, policy }: ServerObjects,
  { isPermissive, failure }: { isPermissive: boolean; failure?: string | undefined },
): Record<string, unknown> {
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const deploymentReady = deployment !== undefined && (numberAt(deployment, 'status', 'readyReplicas') ?? 0) >= wanted;
  const ingressReady =
    ingress !== undefined && (isPermissive || recordsAt(ingress, 'status', 'loadBalancer', 'ingress').length > 0);
  const ready = {
    deploymentReady,
    serviceReady: service !== undefined,
    ingressReady,
    gatewayReady: deploymentReady,
    policyReady: policy !== undefined,
    canaryReady: false,
  };
  const { canaryReady: _, ...needed } = ready;
  const values = Object.values(needed);
  const phase =
    failure !== undefined
      ? 'Error'
      : values.every(Boolean)
        ? 'Ready'
        : values.some(Boolean)
          ? 'PartiallyReady'
          : 'Pending';
  const message = failure ?? 'All resources reconciled';
  const conditions = Object.entries(ready).map(([name, value]) => ({
    type: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    status: value ? 'True' : 'False',
    reason: phase,
    message,
    observedGeneration: server.metadata.generation,
  }));
  // False ones are left out, as Go does with omitempty.
  return { phase, message, ...Object.fromEntries(Object.entries(ready).filter(([, value]) => value)), conditions };
}
