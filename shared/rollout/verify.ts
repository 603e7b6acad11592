import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../checks/finding.js';
import { finding } from '../checks/finding.js';
import { recordsAt, textAt } from '../cluster/fields.js';
import { isOver } from '../cluster/workloads.js';
import { askEndpoints, type Endpoint, type EndpointState } from '../platform/endpoints.js';
import type { ReachOptions } from '../platform/way.js';
import { newPods, type WorkloadView } from './judge.js';
import type { WantedImage } from './plan.js';

/** What runs in one container of one pod. */
export interface RunningImage {
  deployment: string;
  container: string;
  pod: string;
  /** Digest that the node tells; empty when it tells none. */
  digest: string;
}

/** What the new pods of the targets really run, as their nodes tell. */
export function runningImages(images: readonly WantedImage[], scene: WorkloadView): RunningImage[] {
  return images.flatMap(({ target }) => {
    const workload = scene.workloads.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === target.deployment,
    );
    if (workload === undefined) return [];
    return (
      newPods(workload, scene)
        // One that an autoscaler has just asked for runs nothing yet.
        .filter((pod) => !isOver(pod) && textAt(pod, 'status', 'phase') !== 'Pending')
        .map((pod) => {
          const status = ['containerStatuses', 'initContainerStatuses']
            .flatMap((list) => recordsAt(pod, 'status', list))
            .find((one) => one.name === target.container);
          return {
            deployment: target.deployment,
            container: target.container,
            pod: pod.metadata.name,
            digest: /sha256:[0-9a-f]{64}/.exec(textAt(status, 'imageID'))?.[0] ?? '',
          };
        })
    );
  });
}

/**
 * Pods that do not run the image that their Deployment names. A node tells the digest of the manifest that it pulled, or
 * of the one for its processor.
 *
 * @param children digests of the manifests in an index, by the index's digest
 */
export function otherImages(
  images: readonly WantedImage[],
  running: readonly RunningImage[],
  children: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  return images.flatMap(({ target, digest, repository }): Finding[] => {
    if (digest === undefined) return [];
    const accepted = [digest, ...(children.get(digest) ?? [])];
    const pods = running.filter(
      ({ deployment, container }) => deployment === target.deployment && container === target.container,
    );
    const wrong = pods.filter((pod) => !accepted.includes(pod.digest));
    if (wrong.length === 0) return [];
    return [
      finding('image-other', {
        subject: `Deployment mcp-sentinel/${target.deployment}`,
        cause: 'its pods run another image than the one that was rolled out',
        evidence: wrong.map(
          (pod) => `pod ${pod.pod}: ${pod.digest || 'no digest told'} instead of ${repository}@${digest}`,
        ),
        remedy: 'look at the node’s image store: `crictl images --digests` on the node',
      }),
    ];
  });
}

/** How long a public address may take to be back after its pods are Ready, and how often it is asked, in ms. */
const settling = { deadline: 15_000, pause: 250 };

/**
 * Asks the public endpoints until all are healthy that were so before, or some time has passed.
 *
 * @param before what they answered before the rollout: what was broken then is not the rollout's doing
 */
export async function settledEndpoints(
  endpoints: readonly Endpoint[],
  before: readonly EndpointState[],
  options: ReachOptions,
  signal: AbortSignal,
): Promise<EndpointState[]> {
  for (const end = Date.now() + settling.deadline; ; await sleep(settling.pause, undefined, { signal })) {
    const states = await askEndpoints(endpoints, options, signal);
    if (endpointFindings(before, states).every(({ severity }) => severity !== 'error') || Date.now() > end)
      return states;
  }
}

/** Endpoints that are not healthy: an error where they were before, a warning where they were not. */
export function endpointFindings(before: readonly EndpointState[], after: readonly EndpointState[]): Finding[] {
  return after.flatMap(({ endpoint, problem }): Finding[] => {
    if (problem === '') return [];
    const then = before.find((one) => one.endpoint.host === endpoint.host && one.endpoint.path === endpoint.path);
    const wasHealthy = then?.problem === '';
    return [
      {
        code: 'endpoint-failing',
        severity: wasHealthy ? 'error' : 'warning',
        subject: `https://${endpoint.host}${endpoint.path}`,
        cause: wasHealthy
          ? `it was healthy before the rollout, and is not any more`
          : 'it was not healthy before the rollout either',
        evidence: [`${problem}${wasHealthy || then === undefined ? '' : ` (before: ${then.problem})`}`],
        remedy: `look at what is behind it: \`kubectl logs -n mcp-sentinel deployment/${endpoint.behind}\``,
        confidence: 'certain',
      },
    ];
  });
}
