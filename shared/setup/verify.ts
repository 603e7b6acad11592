import { newestCertManager } from '../certificates/version.js';
import { identifiersOf } from '../certificates/x509.js';
import type { Cluster } from '../cluster/cluster.js';
import { at, conditionOf, isTrue, textAt } from '../cluster/fields.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { rolloutState } from '../cluster/rollout-state.js';
import { waitUntil } from '../cluster/wait.js';
import { leafOf, maskValues, readableSecrets } from '../facts/secrets.js';
import { platformNamespaces } from '../platform/resources.js';
import type { Hosts } from '../profile/values.js';

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
 * Waits until each public host has a Certificate that is Ready, all those of the platform are, and every workload of it
 * is rolled out, all at once. The installer waits for one of the two public certificates only, and for the first replica
 * of each workload. Certificates of others are theirs.
 *
 * @throws McprtError `cluster-wait`
 */
export async function untilRolledOut(cluster: Cluster, hosts: Hosts, patience: Patience): Promise<void> {
  const { signal, progress } = patience;
  const workloads = [kinds.deployment, kinds.statefulSet, kinds.daemonSet].flatMap((kind) =>
    [platformNamespaces.sentinel, platformNamespaces.runtime, platformNamespaces.registry].map((namespace) =>
      // Each of these namespaces has a Deployment at least; that there is none is not that all is well.
      waitUntil(cluster, kind, kind === kinds.deployment ? unfinishedOrNone : unfinished, {
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
    waitUntil(cluster, kinds.certificate, (objects) => unready(objects, Object.values(hosts)), {
      what: 'the platform’s Certificates to be Ready',
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
  // Certificates of others are listed too, and a check need not be able to read what is theirs.
  const { secrets } = await readableSecrets(cluster, refs);
  for (const secret of secrets.values()) maskValues(secret, mask);
  return items
    .map((one, index): CertificateState => {
      const leaf = leafOf(secrets.get(keyOf(refs[index] ?? { name: '' })), version ?? newestCertManager);
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

function unfinishedOrNone(objects: readonly KubeObject[]): string {
  return objects.length === 0 ? 'there is none yet' : unfinished(objects);
}

const own: readonly string[] = Object.values(platformNamespaces);

function unready(objects: readonly KubeObject[], hosts: readonly string[]): string {
  const ours = objects.filter(({ metadata }) => own.includes(metadata.namespace ?? ''));
  const namesOf = (one: KubeObject): unknown => at(one, 'spec', 'dnsNames');
  const unserved = hosts.filter(
    (host) =>
      !ours.some((one) => {
        const names = namesOf(one);
        return Array.isArray(names) && names.includes(host);
      }),
  );
  return [
    ...unserved.map((host) => `${host}: there is no Certificate yet`),
    ...ours
      .filter((one) => !isTrue(one, 'Ready') || isTrue(one, 'Issuing'))
      .map((one) => `${keyOf(one.metadata)}: ${conditionOf(one, 'Ready')?.message ?? 'no status yet'}`),
  ].join('; ');
}
