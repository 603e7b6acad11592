import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ActionRun, defaultsOf, runBundle } from '../lab/driver/action.js';
import { type LabState, openLab } from '../lab/driver/lab.js';
import { type Reading, readMeter } from '../lab/driver/meter.js';
import { installPlatform, waitForCertificates } from '../lab/platform/install.js';
import { type Installation, issuer, namespaces, privateIssuer } from '../lab/platform/names.js';
import { certificateOf } from '../lab/platform/resources.js';
import { type KeySet, makeKeys } from '../shared/backup/keys.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import type { ProofContext, Proven } from './proof.js';

/** Certificates of one installation of the stand-in platform: three from the ACME server, two from the private CA. */
export const certificateCount = 5;

/** What people have beside the platform: certificates in the cluster's own namespaces, as for k3s' Traefik. */
const neighbours = [
  { namespace: 'default', name: 'web', dnsName: 'www.example.com', issuer },
  { namespace: 'kube-system', name: 'traefik-default', dnsName: 'edge.example.com', issuer: privateIssuer },
] as const;

/** Certificates of a rig's installation: the platform's, and those beside it. */
export const rigCertificateCount = certificateCount + neighbours.length;

/** Namespaces that a wipe takes; cert-manager's is wiped only where the proof says so. */
export const appNamespaces = ['registry', 'mcp-sentinel', 'mcp-runtime', 'mcp-servers', 'mcp-team-acme'];

/** A lab with the platform on it, and everything to run the shipped action against it. */
export interface Rig {
  state: LabState;
  cluster: Cluster;
  installation: Installation;
  keys: KeySet;
  backups: string;
  meter(): Promise<Reading>;
  install(): Promise<void>;
  /** Runs action-backup with the lab's kubeconfig and a directory store, unless the inputs say otherwise. */
  act(
    operation: string,
    inputs?: Record<string, string>,
    env?: Record<string, string>,
    onStart?: (pid: number) => void,
  ): Promise<ActionRun>;
  wipe(namespaces?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Brings a lab up and makes keys; the platform is installed by `install`. */
export async function makeRig(context: ProofContext, kind: 'hybrid' | 'classic' = 'hybrid'): Promise<Rig> {
  const state = await context.lab();
  const [cluster, keys, defaults] = await Promise.all([openLab(state), makeKeys(kind), defaultsOf('action-backup')]);
  const installation: Installation = {
    domain: 'example.com',
    layout: 'split',
    acme: state.acme,
    crds: state.program.crds,
  };
  const backups = join(context.folder, 'backups');
  const needsRestoreKey = (operation: string): boolean => operation === 'plan' || operation === 'restore';
  return {
    state,
    cluster,
    installation,
    keys,
    backups,
    meter: () => readMeter(state.acme.control),
    async install() {
      await installPlatform(cluster, installation);
      await installNeighbours(cluster);
      await waitForCertificates(cluster, rigCertificateCount);
    },
    act: (operation, inputs = {}, env = {}, onStart) =>
      runBundle({
        entry: 'backup.js',
        folder: context.folder,
        defaults,
        inputs: {
          operation,
          kubeconfig: state.kubeconfig,
          domain: installation.domain,
          'backup-key': needsRestoreKey(operation) ? '' : keys.backup,
          'restore-key': needsRestoreKey(operation) ? keys.restore : '',
          stores: 'directory',
          directory: backups,
          ...inputs,
        },
        env: {
          GITHUB_REPOSITORY: 'acme/platform',
          GITHUB_REPOSITORY_ID: '42',
          GITHUB_RUN_ID: '1',
          GITHUB_RUN_ATTEMPT: '1',
          GITHUB_JOB: 'restore',
          ...env,
        },
        ...(onStart ? { onStart } : {}),
      }),
    async wipe(namespaces = appNamespaces) {
      await loseNeighbours(cluster);
      await wipeNamespaces(cluster, namespaces);
    },
    close: () => cluster.close(),
  };
}

/** Proves something on a lab with the platform installed, and closes it in any case. */
export async function onPlatform(
  context: ProofContext,
  prove: (context: ProofContext, rig: Rig) => Promise<Proven>,
): Promise<Proven> {
  const rig = await makeRig(context);
  try {
    await rig.install();
    return await prove(context, rig);
  } finally {
    await rig.close();
  }
}

async function installNeighbours(cluster: Cluster): Promise<void> {
  const objects = neighbours.map(({ namespace, name, dnsName, issuer: by }) =>
    certificateOf(namespace, name, { secretName: `${name}-tls`, dnsNames: [dnsName], issuer: by }),
  );
  await Promise.all(
    objects.map((one) => cluster.apply(kinds.certificate, one, { force: true, manager: 'neighbours' })),
  );
}

/** The cluster's own namespaces stay in a wipe: what is in them is lost one by one, as with a lost cluster. */
async function loseNeighbours(cluster: Cluster): Promise<void> {
  for (const { namespace, name } of neighbours) {
    await cluster.delete(kinds.certificate, { namespace, name });
    await cluster.delete(kinds.secret, { namespace, name: `${name}-tls` });
  }
}

/** Has cert-manager issue a certificate of the private CA anew: no order of an ACME server's is made. */
export async function renewInternal(cluster: Cluster): Promise<void> {
  const ref = { namespace: namespaces.registry, name: 'registry-internal-tls' };
  const before = (await cluster.get(kinds.secret, ref))?.metadata.uid;
  const { length } = (await cluster.list(kinds.certificate)).items;
  await cluster.delete(kinds.secret, ref);
  for (;;) {
    const found = await cluster.get(kinds.secret, ref);
    if (found !== undefined && found.metadata.uid !== before) break;
    await sleep(100);
  }
  await waitForCertificates(cluster, length);
}

/** Deletes namespaces as the runbook's wipe does, and waits until they are gone. */
export async function wipeNamespaces(cluster: Cluster, namespaces: readonly string[]): Promise<void> {
  await Promise.all(namespaces.map((name) => cluster.delete(kinds.namespace, { name })));
  for (let left = [...namespaces]; left.length > 0; ) {
    const { items } = await cluster.list(kinds.namespace);
    left = left.filter((name) => items.some(({ metadata }) => metadata.name === name));
    if (left.length > 0) await sleep(100);
  }
}

/** Serial numbers of all TLS Secrets, by `namespace/name`: what must be the same after a restore. */
export async function tlsSecrets(cluster: Cluster): Promise<Map<string, string>> {
  const { items } = await cluster.list<KubeObject & { data?: Record<string, string> }>(kinds.secret, {
    fieldSelector: 'type=kubernetes.io/tls',
  });
  return new Map(
    items.map(({ metadata, data }) => [
      `${metadata.namespace}/${metadata.name}`,
      `${data?.['tls.crt']} ${data?.['tls.key']}`,
    ]),
  );
}

/** Sets the replicas of cert-manager's controller and waits until its pods are as many. */
export async function scaleCertManager(cluster: Cluster, replicas: 0 | 1): Promise<void> {
  const ref = { namespace: 'cert-manager', name: 'cert-manager' };
  await cluster.patch(kinds.deployment, ref, [{ op: 'replace', path: '/spec/replicas', value: replicas }]);
  for (;;) {
    const found = await cluster.get<KubeObject & { status?: { replicas?: number; availableReplicas?: number } }>(
      kinds.deployment,
      ref,
    );
    const { items } = await cluster.list(kinds.pod, {
      namespace: 'cert-manager',
      labelSelector: 'app.kubernetes.io/component=controller',
    });
    if (items.length === replicas && (found?.status?.availableReplicas ?? 0) === replicas) return;
    await sleep(100);
  }
}
