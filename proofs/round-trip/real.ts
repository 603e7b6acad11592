import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from '../../lab/driver/meter.js';
import { until } from '../../lab/driver/until.js';
import { installCertManager } from '../../lab/platform/cert-manager.js';
import { isTrue } from '../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { isClustersOwn } from '../../shared/platform/resources.js';
import { type Random, seeded } from '../random.js';
import { sum } from '../support/figures.js';
import type { Findings } from '../support/findings.js';
import { leaves } from '../support/leaves.js';
import type { ProofContext } from '../support/proof.js';
import { scaleCertManager, wipeNamespaces } from '../world/installation.js';
import { inWorld, type World } from '../world/world.js';
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

const later = ['Issuer', 'ClusterIssuer', 'Certificate', 'Ingress'];

/**
 * Puts random installations on one real cluster, one after the other, each with certificates that cert-manager adopts;
 * backs each up with the shipped bundle, loses it, restores it, makes Certificates and Ingresses again, and counts.
 */
export function realTrips(context: ProofContext, seed: number, count: number): Promise<RealTrips> {
  return inWorld(context, [], async (world) => {
    await installCertManager(world.cluster, world.installation);
    const { found, unknown } = await unknownReferences(world.installation.crds);
    for (const path of unknown)
      context.fail(`cert-manager’s API refers to a Secret at ${path}, and the inventory does not`);
    const trips: Counts[] = [];
    for (let index = 0; index < count; index++) {
      const random = seeded(seed + 10_000 + index);
      const { directory, caBundle } = world.state.acme;
      const bounds = { now: new Date(), tenants: [0, 3] as const, lab: { directory, caBundle } };
      const findings = context.about(`on the cluster, ${index} (seed ${seed + 10_000 + index})`);
      const backups = join(context.folder, `backups-${index}`);
      trips.push(await oneTrip(findings, world, randomInstallation(random, bounds), random, backups));
      context.progress(`  ${index + 1} installations on the cluster`);
    }
    return {
      installations: trips.length,
      certificates: sum(trips.map(({ certificates }) => certificates)),
      orders: sum(trips.map(({ orders }) => orders)),
      issued: sum(trips.map(({ issued }) => issued)),
      references: found,
    };
  });
}

type Counts = Pick<RealTrips, 'certificates' | 'orders' | 'issued'>;

async function oneTrip(
  { expect, expectDone }: Findings,
  world: World,
  installation: Installation,
  random: Random,
  directory: string,
): Promise<Counts> {
  const { cluster } = world;
  // Secrets are there before the controller looks: it adopts them, as after a restore by hand.
  await scaleCertManager(cluster, 0);
  await put(
    world,
    installation.objects.filter(({ kind }) => !later.includes(kind)),
  );
  await put(
    world,
    installation.objects.filter(({ kind }) => later.includes(kind)),
  );
  await scaleCertManager(cluster, 1);
  await untilReady(world, installation);
  const before = await leaves(cluster);

  if (!expectDone('the backup', await world.backup('backup', { directory })))
    return { certificates: 0, orders: 0, issued: 0 };
  const counted = await world.meter();
  const losesManager = random.below(3) === 0;
  await lose(world, installation, losesManager);
  expectDone('the restore', await world.backup('restore', { directory }));
  if (losesManager) await installCertManager(cluster, world.installation);
  const again = installation.objects.filter(({ kind }) => later.includes(kind));
  await put(
    world,
    again.filter(({ kind }) => kind.includes('Issuer')),
  );
  await put(
    world,
    again.filter(({ kind }) => !kind.includes('Issuer')),
  );
  await untilReady(world, installation);
  await sleep(1000);
  const { orders, issued } = difference(counted, await world.meter());
  expect(orders + issued === 0, `${orders} orders, ${issued} issued`);
  const after = await leaves(cluster);
  for (const one of before) {
    const now = after.find(({ certificate }) => certificate === one.certificate);
    expect(now?.serial === one.serial, `${one.certificate}: serial ${now?.serial} instead of ${one.serial}`);
  }
  await lose(world, installation, false);
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
  return { certificates: before.length, orders, issued };
}

/** Makes objects as a person would with kubectl, namespaces first. */
async function put({ cluster }: World, objects: readonly KubeObject[]): Promise<void> {
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
async function lose({ cluster }: World, { objects }: Installation, withManager: boolean): Promise<void> {
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
async function untilReady({ cluster }: World, { certificates }: Installation): Promise<void> {
  // Of Certificates with one Secret, only the first was issued with it: cert-manager never issues the others.
  const owners = new Map([...certificates].reverse().map(({ key, secret }) => [secret, key]));
  const never = new Set(
    certificates
      .filter(({ key, secret, health }) => health === 'stuck' || owners.get(secret) !== key)
      .map(({ key }) => key),
  );
  let waiting: KubeObject[] = [];
  const isReady = async (): Promise<boolean> => {
    const { items } = await cluster.list(kinds.certificate);
    waiting = items
      .filter(({ metadata }) => !never.has(`${metadata.namespace}/${metadata.name}`))
      .filter((one) => !isTrue(one, 'Ready'));
    return items.length >= certificates.length && waiting.length === 0;
  };
  await until('the Certificates to be Ready', isReady, { every: 150 }).catch((error: Error) => {
    const states = waiting.map(
      ({ metadata, status }) => `${metadata.namespace}/${metadata.name} ${JSON.stringify(status)}`,
    );
    throw new Error(`${error.message}: ${states.join(', ')}`);
  });
}
