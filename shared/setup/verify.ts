import { keyOf, maskValues, readSecrets } from '../backup/observe.js';
import { assumedCertManager, leafOf } from '../backup/refusals.js';
import { identifiersOf } from '../certificates/x509.js';
import type { Cluster } from '../cluster/cluster.js';
import { conditionOf, isTrue, textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { waitUntil } from '../cluster/wait.js';
import { rolloutState } from '../cluster/workloads.js';
import { platformNamespaces } from '../platform/resources.js';

/** A certificate as it is in the cluster now. */
export interface CertificateState {
  namespace: string;
  name: string;
  identifiers: string[];
  issuedBy: string;
  serial: string;
  notAfter: Date | undefined;
  ready: boolean;
}

export interface Patience {
  /** In ms. */
  certificates: number;
  rollouts: number;
  signal: AbortSignal;
  progress: (line: string) => void;
}

/**
 * Waits until every Certificate is Ready and every workload of the platform is rolled out, all at once. The installer
 * waits for one of the two public certificates only, and for the first replica of each workload.
 *
 * @throws McprtError `cluster-wait`
 */
export async function untilRolledOut(cluster: Cluster, patience: Patience): Promise<void> {
  const { signal, progress } = patience;
  const workloads = [kinds.deployment, kinds.statefulSet, kinds.daemonSet].flatMap((kind) =>
    [platformNamespaces.sentinel, platformNamespaces.runtime, platformNamespaces.registry].map((namespace) =>
      waitUntil(cluster, kind, unfinished, {
        namespace,
        what: `all ${kind.plural} in ${namespace}`,
        deadline: patience.rollouts,
        signal,
        progress: (why) => progress(`  ${namespace}: ${why}`),
      }),
    ),
  );
  await Promise.all([
    ...workloads,
    waitUntil(cluster, kinds.certificate, unready, {
      what: 'all Certificates to be Ready',
      deadline: patience.certificates,
      signal,
      progress: (why) => progress(`  certificates: ${why}`),
    }),
  ]);
}

/** Waits until an issuer is Ready: right after cert-manager was installed it backs off for a while. */
export async function untilIssuerReady(cluster: Cluster, issuer: string, patience: Patience): Promise<void> {
  await waitUntil(
    cluster,
    kinds.clusterIssuer,
    (objects) => {
      const found = objects.find(({ metadata }) => metadata.name === issuer);
      if (isTrue(found, 'Ready')) return '';
      return found === undefined ? 'it is not there' : conditionOf(found, 'Ready')?.message || 'it has no status yet';
    },
    {
      what: `ClusterIssuer ${issuer} to be Ready`,
      deadline: patience.certificates,
      signal: patience.signal,
      progress: (why) => patience.progress(`  ClusterIssuer ${issuer}: ${why}`),
    },
  );
}

/** Every Certificate with what is really in its Secret. */
export async function certificateStates(
  cluster: Cluster,
  version: string | undefined,
  mask: (secret: string) => void,
): Promise<CertificateState[]> {
  const { items } = await cluster.list(kinds.certificate);
  const refs = items.map((one) => ({
    namespace: one.metadata.namespace ?? '',
    name: textAt(one, 'spec', 'secretName'),
  }));
  const secrets = await readSecrets(cluster, refs);
  for (const secret of secrets.values()) maskValues(secret, mask);
  return items
    .map((one, index): CertificateState => {
      const leaf = leafOf(secrets.get(keyOf(refs[index] ?? { name: '' })), version ?? assumedCertManager);
      return {
        namespace: one.metadata.namespace ?? '',
        name: one.metadata.name,
        identifiers: leaf === undefined ? [] : identifiersOf(leaf),
        issuedBy: leaf?.issuerText ?? '',
        serial: leaf?.serial ?? '',
        notAfter: leaf?.notAfter,
        ready: isTrue(one, 'Ready'),
      };
    })
    .sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

function unfinished(objects: readonly KubeObject[]): string {
  return objects
    .map((object) => ({ object, state: rolloutState(object) }))
    .filter(({ state }) => !state.complete)
    .map(({ object, state }) => `${object.kind} ${object.metadata.name}: ${state.why}`)
    .join('; ');
}

function unready(objects: readonly KubeObject[]): string {
  return objects
    .filter((one) => !isTrue(one, 'Ready') || isTrue(one, 'Issuing'))
    .map((one) => `${keyOf(one.metadata)}: ${conditionOf(one, 'Ready')?.message ?? 'no status yet'}`)
    .join('; ');
}
