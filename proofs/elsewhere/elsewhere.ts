import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from '../../lab/driver/meter.js';
import { until } from '../../lab/driver/until.js';
import { applier, installCertManager } from '../../lab/platform/cert-manager.js';
import { isTrue } from '../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { sum } from '../support/figures.js';
import type { Findings } from '../support/findings.js';
import { leaves } from '../support/leaves.js';
import { chosenOf, type Proof, type ProofContext } from '../support/proof.js';
import { said } from '../support/runs.js';
import { wipeNamespaces } from '../world/installation.js';
import { inWorld, type World } from '../world/world.js';
import { run } from './controller.js';
import { others } from './objects.js';
import { type Place, placesOf } from './places.js';
import { refusedByPolicy, tryRefusals } from './refusals.js';

type Here = World<'gate'>;

/** What a backup may read of a cluster that is full of other people's Secrets, in bytes. */
const mostBytes = 1 << 20;
/** What others ask for, each when what is before it is there; the rest in between. */
const [first, later] = [
  ['Namespace', 'CustomResourceDefinition', 'Secret'],
  ['ClusterIssuer', 'Issuer', 'Certificate', 'Ingress', 'Gateway', ...Object.values(others).map(({ kind }) => kind)],
];

export const elsewhere: Proof = {
  name: 'elsewhere',
  claim:
    'clusters that are not as the lab makes them, one without MCP Runtime, one that refuses Secrets at first: each backed up, lost and restored with no order and the same certificates',
  run: (context) => inWorld(context, ['gate'], (world) => everyPlace(context, world)),
};

async function everyPlace(context: ProofContext, world: Here) {
  const { crds } = world.installation;
  const version = (await readFile(join(crds, 'version'), 'utf8')).trim();
  await installCertManager(world.cluster, { crds });
  await wipeNamespaces(world.cluster, ['cert-manager']);
  const trips: { certificates: number; orders: number }[] = [];
  for (const place of chosenOf(context, await placesOf(world.state, version, context.small))) {
    const findings = context.about(place.name);
    trips.push(await visit(findings, world, place, join(context.folder, `backups-${trips.length}`)));
    context.progress(`  ${trips.length}: ${place.name}`);
  }
  return {
    places: trips.length,
    certificates: sum(trips.map(({ certificates }) => certificates)),
    orders: sum(trips.map(({ orders }) => orders)),
  };
}

async function visit(findings: Findings, world: Here, place: Place, directory: string) {
  const { cluster, gate } = world;
  const { controller, objects, definitions = [], inputs = {} } = place;
  const given = { ...inputs, directory, kubeconfig: gate.kubeconfig };
  await run(cluster, controller, 0);
  await put(world, [...definitions, ...objects]);
  await place.crowd?.(cluster);
  await run(cluster, controller, 1);
  await untilReady(world, objects);
  const before = await leaves(cluster);

  const operator = place.operator?.(cluster);
  if (operator) await untilTaken(world);
  gate.reset({});
  if (place.inputs?.profile === 'none') await tryRefusals(findings, world, given);
  const made = await world.backup('backup', given);
  findings.expect(gate.bytes() < mostBytes, `the backup has read ${gate.bytes()} bytes`);
  if (place.told) findings.expect(place.told.test(said(made)), `the backup does not say ${place.told}`, made);
  if (!findings.expectDone('the backup', made)) {
    await operator?.stop();
    return { certificates: 0, orders: 0 };
  }
  findings.expectDone('the verification', await world.backup('verify', given));
  const counted = await world.meter();
  const homes = [...new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []))];
  await wipeNamespaces(cluster, [
    ...homes.filter((home) => home !== controller.namespace),
    ...(place.losesController ? [controller.namespace] : []),
  ]);
  try {
    findings.expectDone('the plan', await world.backup('plan', given));
    if (place.forbids) await refusedByPolicy(findings, world, given, { homes, message: place.forbids });
    findings.expectDone('the restore', await world.backup('restore', given));
    if (place.losesController) await run(cluster, controller, 1);
    await put(
      world,
      objects.filter(({ kind }) => later.includes(kind)),
    );
    await untilReady(world, objects);
    if (operator) {
      await restoreBeside(findings, world, given).catch((error: Error) => {
        throw new Error(`${error.message}; the program: ${operator.state()}`);
      });
    }
    await sleep(1000);
  } finally {
    await operator?.stop();
  }
  findings.expectSame('what was refused to a program that keeps a Secret', [...(operator?.refused ?? [])], []);
  const { orders, issued } = difference(counted, await world.meter());
  findings.expect(orders + issued === 0, `${orders} orders, ${issued} issued`);
  findings.expectSame('the certificates', await leaves(cluster), before);
  await cleanUp(world, place, homes);
  return { certificates: before.length, orders };
}

const keptSecret = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };

async function untilTaken({ cluster }: Pick<Here, 'cluster'>): Promise<void> {
  await until('the program to take its Secret', async () => {
    const found = await cluster.get<KubeObject>(kinds.secret, keptSecret);
    return found?.metadata.ownerReferences !== undefined;
  });
}

/** Another restore, when a program has the Secret that lacks by now what the backup has: nothing is fought about. */
async function restoreBeside(
  findings: Findings,
  { cluster, backup }: Here,
  inputs: Record<string, string>,
): Promise<void> {
  await untilTaken({ cluster });
  for (const kind of [others.externalSecret, others.sealedSecret]) {
    const owner = (await cluster.list<KubeObject>(kind).catch(() => ({ items: [] as KubeObject[] }))).items[0];
    if (owner) await cluster.patch(kind, keptSecret, [{ op: 'remove', path: '/spec/data/POSTGRES_PASSWORD' }]);
  }
  const keys = async (): Promise<string[]> =>
    Object.keys((await cluster.get<KubeObject>(kinds.secret, keptSecret))?.data ?? {}).sort();
  await until('the key to go', async () => (await keys()).length === 2);
  findings.expectDone('a restore beside the program', await backup('restore', inputs));
  findings.expectSame('its Secret’s keys', await keys(), ['ADMIN_API_KEYS', 'JWT_SECRET']);
}

async function put({ cluster }: Here, objects: readonly KubeObject[]): Promise<void> {
  const apply = applier(cluster);
  const known = [...Object.values<Kind>(kinds), ...Object.values<Kind>(others)];
  const byKind = Map.groupBy(objects, ({ kind }) => kind);
  const between = [...byKind.keys()].filter((name) => !later.includes(name));
  for (const name of new Set([...first, ...between, ...later])) {
    const some = byKind.get(name) ?? [];
    if (some.length === 0) continue;
    const kind = known.find((one) => one.kind === name);
    if (kind === undefined) throw new Error(`no such kind: ${name}`);
    await apply(kind, ...some);
  }
}

/** Takes away what the next place must not find. */
async function cleanUp(world: Here, { objects, controller }: Place, homes: readonly string[]): Promise<void> {
  await wipeNamespaces(world.cluster, [...homes, controller.namespace]);
  await Promise.all([
    world.cluster.delete(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-anchor' }),
    ...objects
      .filter(({ kind }) => kind === 'ClusterIssuer')
      .map(({ metadata: { name } }) => world.cluster.delete(kinds.clusterIssuer, { name })),
  ]);
}

/** Waits until as many Certificates as were meant are Ready, and none is being issued. */
async function untilReady({ cluster }: Here, objects: readonly KubeObject[]): Promise<void> {
  // A shim makes one for each Ingress and Gateway.
  const asking = ['Certificate', 'Ingress', 'Gateway'];
  const count = objects.filter(({ kind }) => asking.includes(kind)).length;
  let states: string[] = [];
  await until('the Certificates to be Ready', async () => {
    const { items } = await cluster.list(kinds.certificate);
    states = items.map(({ metadata, status }) => `${metadata.namespace}/${metadata.name} ${JSON.stringify(status)}`);
    return items.length === count && items.every((one) => isTrue(one, 'Ready') && !isTrue(one, 'Issuing'));
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${states.join(', ')}`);
  });
}
