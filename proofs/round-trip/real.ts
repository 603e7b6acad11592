import { isClustersOwn } from '../../shared/platform/resources.js';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from '../../lab/driver/meter.js';
import { installCertManager } from '../../lab/platform/install.js';
import { isTrue } from '../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { leaves } from '../leaves.js';
import type { ProofContext } from '../proof.js';
import { type Random, seeded } from '../random.js';
import { makeRig, type Rig, scaleCertManager, wipeNamespaces } from '../rig.js';
import { type Installation, randomInstallation } from './installation.js';
import { unknownReferences } from './references.js';

/** What the installations on a real cluster came to. */
export interface RealTrips {
  installations: number;
  certificates: number;
  orders: number;
  issued: number;
  /** Fields of issuers that refer to Secrets, in the definitions of the cluster's cert-manager. */
  references: number;
}

const readyDeadline = 60_000;
const later = ['Issuer', 'ClusterIssuer', 'Certificate', 'Ingress'];

/**
 * Puts random installations on one real cluster, one after the other, each with certificates that cert-manager adopts;
 * backs each up with the shipped bundle, loses it, restores it, makes Certificates and Ingresses again, and counts.
 */
export async function realTrips(
  context: ProofContext,
  seed: number,
  count: number,
  problems: string[],
): Promise<RealTrips> {
  const rig = await makeRig(context);
  const sum = { installations: 0, certificates: 0, orders: 0, issued: 0, references: 0 };
  try {
    await installCertManager(rig.cluster, rig.installation);
    const { found, unknown } = await unknownReferences(rig.installation.crds);
    sum.references = found;
    problems.push(
      ...unknown.map((path) => `cert-manager’s API refers to a Secret at ${path}, and the inventory does not`),
    );
    for (let index = 0; index < count; index++) {
      const random = seeded(seed + 10_000 + index);
      const { directory, caBundle } = rig.state.acme;
      const bounds = { now: new Date(), tenants: [0, 3] as const, lab: { directory, caBundle } };
      const trip = await oneTrip(
        rig,
        randomInstallation(random, bounds),
        random,
        join(context.folder, `backups-${index}`),
      );
      problems.push(
        ...trip.problems.map((line) => `on the cluster, ${index} (seed ${seed + 10_000 + index}): ${line}`),
      );
      sum.installations += 1;
      sum.certificates += trip.certificates;
      sum.orders += trip.orders;
      sum.issued += trip.issued;
      context.progress(`  ${index + 1} installations on the cluster`);
    }
  } finally {
    await rig.close();
  }
  return sum;
}

async function oneTrip(
  rig: Rig,
  installation: Installation,
  random: Random,
  directory: string,
): Promise<{ problems: string[]; certificates: number; orders: number; issued: number }> {
  const { cluster } = rig;
  const problems: string[] = [];
  // Secrets are there before the controller looks: it adopts them, as after a restore by hand.
  await scaleCertManager(cluster, 0);
  await put(
    rig,
    installation.objects.filter(({ kind }) => !later.includes(kind)),
  );
  await put(
    rig,
    installation.objects.filter(({ kind }) => later.includes(kind)),
  );
  await scaleCertManager(cluster, 1);
  await untilReady(rig, installation);
  const before = await leaves(cluster);

  const backup = await rig.act('backup', { directory });
  if (backup.code !== 0)
    return { problems: [`the backup failed: ${backup.log}`], certificates: 0, orders: 0, issued: 0 };
  const counted = await rig.meter();
  const losesManager = random.below(3) === 0;
  await lose(rig, installation, losesManager);
  const restored = await rig.act('restore', { directory });
  if (restored.code !== 0) problems.push(`the restore failed: ${restored.log}`);
  if (losesManager) await installCertManager(cluster, rig.installation);
  const again = installation.objects.filter(({ kind }) => later.includes(kind));
  await put(
    rig,
    again.filter(({ kind }) => kind.includes('Issuer')),
  );
  await put(
    rig,
    again.filter(({ kind }) => !kind.includes('Issuer')),
  );
  await untilReady(rig, installation);
  await sleep(1000);
  const { orders, issued } = difference(counted, await rig.meter());
  if (orders + issued > 0) problems.push(`${orders} orders, ${issued} issued`);
  const after = await leaves(cluster);
  for (const one of before) {
    const now = after.find(({ certificate }) => certificate === one.certificate);
    if (now?.serial !== one.serial) problems.push(`${one.certificate}: serial ${now?.serial} instead of ${one.serial}`);
  }
  await lose(rig, installation, false);
  await Promise.all([
    cluster.delete(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-anchor' }),
    // cert-manager's namespace stays for the next installation, whose Secrets of the same names may be of other types.
    ...installation.objects
      .filter(({ kind, metadata }) => kind === 'Secret' && metadata.namespace === 'cert-manager')
      .map(({ metadata }) => cluster.delete(kinds.secret, metadata)),
    ...installation.objects
      .filter(({ kind }) => kind === 'ClusterIssuer')
      .map(({ metadata }) => cluster.delete(kinds.clusterIssuer, { name: metadata.name })),
  ]);
  return { problems, certificates: before.length, orders, issued };
}

/** Makes objects as a person would with kubectl, namespaces first. */
async function put({ cluster }: Rig, objects: readonly KubeObject[]): Promise<void> {
  const apply = (some: readonly KubeObject[]): Promise<unknown> =>
    Promise.all(some.map((object) => cluster.apply(kindOf(object), object, { force: true, manager: 'lab' })));
  const own = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const present = new Set((await cluster.list(kinds.namespace)).items.map(({ metadata }) => metadata.name));
  const missing = [...own].filter((name) => !present.has(name));
  await apply(missing.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
  await apply(objects.filter(({ kind }) => kind === 'Namespace'));
  await apply(objects.filter(({ kind }) => kind !== 'Namespace'));
}

function kindOf({ kind }: KubeObject): Kind {
  const found = Object.values(kinds).find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`no such kind: ${kind}`);
  return found;
}

/** Deletes what a lost cluster loses: namespaces, and what was put into those that stay. */
async function lose({ cluster }: Rig, { objects }: Installation, withManager: boolean): Promise<void> {
  const names = objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  const staying = objects.filter(
    ({ kind, metadata }) =>
      ['Certificate', 'Issuer', 'Ingress', 'Secret'].includes(kind) &&
      isClustersOwn(metadata.namespace ?? '') &&
      metadata.namespace !== 'kube-prometheus',
  );
  // The Certificates first: a controller would issue anew for one whose Secret goes.
  for (const kind of ['Certificate', 'Ingress', 'Issuer', 'Secret']) {
    await Promise.all(
      staying.filter((one) => one.kind === kind).map((one) => cluster.delete(kindOf(one), one.metadata)),
    );
  }
  const keeps = (name: string): boolean =>
    ['default', 'kube-system'].includes(name) || (name === 'cert-manager' && !withManager);
  await wipeNamespaces(
    cluster,
    names.filter((name) => !keeps(name)),
  );
}

/** Waits until every Certificate that has what it needs is Ready, and none is being issued that could be. */
async function untilReady({ cluster }: Rig, { certificates }: Installation): Promise<void> {
  // Of Certificates with one Secret, only the first was issued with it: cert-manager never issues the others.
  const owners = new Map([...certificates].reverse().map(({ key, secret }) => [secret, key]));
  const never = new Set(
    certificates
      .filter(({ key, secret, health }) => health === 'stuck' || owners.get(secret) !== key)
      .map(({ key }) => key),
  );
  for (const end = Date.now() + readyDeadline; ; await sleep(150)) {
    const { items } = await cluster.list(kinds.certificate);
    const waiting = items
      .filter(({ metadata }) => !never.has(`${metadata.namespace}/${metadata.name}`))
      .filter((one) => !isTrue(one, 'Ready'));
    if (items.length >= certificates.length && waiting.length === 0) return;
    if (Date.now() > end) {
      throw new Error(
        `not Ready in time: ${waiting.map(({ metadata, status }) => `${metadata.namespace}/${metadata.name} ${JSON.stringify(status)}`).join(', ')}`,
      );
    }
  }
}
